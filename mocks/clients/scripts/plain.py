"""The least that serves a model: all else is the serving container's own."""

import pathlib

import joblib


def model_fn(folder):
    return joblib.load(pathlib.Path(folder) / "model.joblib")
