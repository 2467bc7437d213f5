"""A script that does not serve its model: HOW says which of its functions fails."""

import os

import plain

HOW = os.environ["HOW"]


def model_fn(folder):
    if HOW == "model":
        raise ValueError("the model is of 1999")
    return plain.model_fn(folder)


def predict_fn(rows, model):
    print(f"asked for {len(rows)} rows", flush=True)
    raise ValueError("nothing can be predicted of these")
