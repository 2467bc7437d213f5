"""Serves the model of a script, as AWS's scikit-learn image does: /ping and /invocations, by the functions of the script.

    python serve.py /opt/ml

The script is a module in the folder `code`. It has model_fn(model_dir), and may have input_fn(body, content_type),
predict_fn(data, model) and output_fn(prediction, accept), or else transform_fn(model, body, content_type, accept); for
batch transform execution_parameters_fn(). What it lacks is as in sagemaker-scikit-learn-container and its toolkit,
sagemaker-containers 2.8: JSON, CSV and NumPy's own format, in and out. There, worker processes share the requests out
among them; here they are threads, as many as SAGEMAKER_MODEL_SERVER_WORKERS says.

It needs nothing but Python's own library, and NumPy where a body is to be read or written for the script.
"""

import csv
import http.server
import importlib
import io
import json
import logging
import os
import socketserver
import sys
import threading

JSON, CSV, NPY, HTML = "application/json", "text/csv", "application/x-npy", "text/html"

# What Flask answers to whoever asks for what fails.
FAILED = (
    '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">\n<title>500 Internal Server Error</title>\n'
    "<h1>Internal Server Error</h1>\n<p>The server encountered an internal error and was unable to complete your request. "
    "Either the server is overloaded or there is an error in the application.</p>\n"
)


class UnsupportedFormatError(Exception):
    """A media type that only a function of the script's own could read or write. It is an error like any other: that the
    toolkit would have a status for it, the image's way to use the toolkit does not let it see."""

    def __init__(self, content_type):
        super().__init__(
            f"Content type {content_type} is not supported by this framework: write an input_fn for what comes in, an "
            "output_fn for what goes out"
        )


class Reply:
    """An answer: its body in bytes, its media type, its status."""

    def __init__(self, body, content_type, status=200):
        if isinstance(body, str):
            body = body.encode()
        if not isinstance(body, (bytes, bytearray)):
            raise TypeError(f"the body of an answer is a string or bytes, and this is a {type(body).__name__}")
        charset = "; charset=utf-8" if content_type.startswith("text/") and "charset" not in content_type else ""
        self.body, self.content_type, self.status = body, content_type + charset, status

    @classmethod
    def of(cls, result):
        """What a function of the script gives: a body, a body and its media type, or a response of Flask's."""
        if isinstance(result, cls):
            return result
        if isinstance(result, tuple):
            return cls(result[0], result[1])
        if hasattr(result, "get_data") and hasattr(result, "status_code"):
            return cls(result.get_data(), result.content_type or HTML, result.status_code)
        # As Flask has it: what has no type is a page.
        if isinstance(result, dict):
            return cls(json.dumps(result, sort_keys=True, separators=(",", ":")) + "\n", JSON)
        return cls(result, HTML)


def input_fn(body, content_type):
    """A body as an array. One record of CSV, or one column, is an array of one dimension, as there."""
    if content_type not in (JSON, CSV, NPY):
        raise UnsupportedFormatError(content_type)
    import numpy

    if content_type == NPY:
        # Images differ in whether they take pickled objects, which could do anything.
        return numpy.load(io.BytesIO(body), allow_pickle=False)
    if content_type == JSON:
        return numpy.array(json.loads(body)).astype(numpy.float32)
    return numpy.array(list(csv.reader(io.StringIO(body), strict=True))).squeeze().astype(numpy.float32)


def predict_fn(data, model):
    return model.predict(data)


def output_fn(prediction, accept):
    """An array, or what is like one, as a body. A list of numbers is a column of CSV."""
    if accept not in (JSON, CSV, NPY):
        raise UnsupportedFormatError(accept)
    if accept == JSON:
        return Reply(json.dumps(prediction, default=plain), JSON)
    import numpy

    if accept == NPY:
        buffer = io.BytesIO()
        numpy.save(buffer, prediction)
        return Reply(buffer.getvalue(), NPY)
    array = numpy.array(prediction)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(array.reshape(-1, 1) if array.ndim == 1 else array)
    return Reply(text.getvalue(), CSV)


def plain(value):
    """What JSON does not know, as what it knows."""
    return value.tolist() if hasattr(value, "tolist") else json.JSONEncoder().default(value)


def transformer(script):
    """What makes an answer of a model, a body and two media types: the script's functions, and ours for what it lacks."""
    read, predict, write = (getattr(script, name, None) for name in ("input_fn", "predict_fn", "output_fn"))
    transform = getattr(script, "transform_fn", None)
    if transform and (read or predict or write):
        raise ValueError("Cannot use transform_fn implementation with input_fn, predict_fn, and/or output_fn")
    if transform:
        return transform
    read, predict, write = read or input_fn, predict or predict_fn, write or output_fn
    return lambda model, body, content_type, accept: write(predict(read(body, content_type), model), accept)


class Server(http.server.ThreadingHTTPServer):
    """The script, whose model is loaded before anybody is answered."""

    request_queue_size = 128

    def __init__(self, opt_ml):
        program = os.environ["SAGEMAKER_PROGRAM"]
        script = importlib.import_module(program[:-3] if program.endswith(".py") else program)
        self.transform = transformer(script)
        self.execution_parameters = getattr(script, "execution_parameters_fn", None)
        self.default_accept = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", JSON)
        self.workers = threading.Semaphore(int(os.environ.get("SAGEMAKER_MODEL_SERVER_WORKERS") or os.cpu_count() or 1))
        if not hasattr(script, "model_fn"):
            raise NotImplementedError(
                f"Please provide a model_fn implementation: {script.__file__} has none.\n"
                "See documentation for model_fn at https://github.com/aws/sagemaker-python-sdk"
            )
        self.model = script.model_fn(os.path.join(opt_ml, "model"))
        super().__init__(("127.0.0.1", int(os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080"))), Handler)

    def server_bind(self):
        # Not that of HTTPServer, which asks the network for the machine's name.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]

    def handle_error(self, request, client_address):
        # Whoever asked may have stopped waiting.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    def invoke(self, headers, body):
        content_type = headers.get("ContentType") or headers.get("Content-Type") or JSON
        accept = headers.get("Accept")
        if accept in (None, "", "*/*"):
            accept = self.default_accept
        if content_type in (JSON, CSV):
            body = body.decode()
        with self.workers:
            return self.transform(self.model, body, content_type, accept)


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection, on which any number of requests may follow each other."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    # An answer leaves in one piece.
    wbufsize = -1

    def do_GET(self):
        path = self.path.partition("?")[0]
        if path == "/ping":
            self.answer(Reply(b"", JSON))
        elif path == "/execution-parameters" and self.server.execution_parameters:
            self.answer_of(self.server.execution_parameters)
        else:
            self.answer(Reply("{}", JSON, 405 if path == "/invocations" else 404))

    def do_POST(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:
            # Whoever asked has gone.
            self.close_connection = True
            return
        if self.path.partition("?")[0] != "/invocations":
            self.answer(Reply("{}", JSON, 404))
            return
        self.answer_of(lambda: self.server.invoke(self.headers, body))

    def answer_of(self, function):
        try:
            reply = Reply.of(function())
        except Exception:
            logging.exception("Exception on %s [%s]", self.path, self.command)
            reply = Reply(FAILED, HTML, 500)
        self.answer(reply)

    def answer(self, reply):
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def log_request(self, code="-", size="-"):
        if self.path != "/ping":
            super().log_request(code, size)


if __name__ == "__main__":
    # Modules are those of the script: this folder has none.
    del sys.path[0]
    logging.basicConfig(format="%(asctime)s %(levelname)s - %(name)s - %(message)s", level=logging.INFO)
    Server(sys.argv[1]).serve_forever()
