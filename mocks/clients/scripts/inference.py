"""How the model is served: what scikit-learn's serving container asks of a script."""

import json
import pathlib

import joblib

from preprocess import features


def model_fn(folder):
    return joblib.load(pathlib.Path(folder) / "model.joblib")


def input_fn(body, content_type):
    """Pairs of sentences, one a line."""
    assert content_type == "application/jsonlines", content_type
    text = body if isinstance(body, str) else body.decode()
    pairs = map(json.loads, text.splitlines())
    return [features(pair["sentence1"], pair["sentence2"]) for pair in pairs]


def predict_fn(rows, model):
    return model.predict_proba(rows)[:, 1].tolist()
