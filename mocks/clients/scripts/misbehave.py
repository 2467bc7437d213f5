"""A script that comes to a bad end, as it is told: for processing by its argument, in script mode by a hyperparameter."""

import argparse
import pathlib
import signal
import sys
import time


def say(text):
    print(text, flush=True)


def message():
    pathlib.Path("/opt/ml/output/message").write_text("the pairs are of 1999: take newer ones")
    sys.exit(1)


def failure():
    pathlib.Path("/opt/ml/output/failure").write_text("nothing can be learned from this")
    sys.exit(7)


def error():
    raise ValueError("the pairs are of 1999")


def overrun():
    say("this takes long")
    time.sleep(3600)


def deaf():
    signal.signal(signal.SIGTERM, lambda *_: say("told to stop, and goes on"))
    say("this takes long")
    while True:
        time.sleep(1)


def memory():
    kept = []
    while True:
        # What was never written to is not in memory.
        kept.append(b"x" * (16 << 20))
        time.sleep(0.01)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    ways = {way.__name__: way for way in (message, failure, error, overrun, deaf, memory)}
    parser.add_argument("--how", choices=ways, required=True)
    ways[parser.parse_args().how]()
