"""Rows to a model: the training script of the scripts journey, in script mode.

Its hyperparameters are its arguments; where its channels are and where the model goes, `SM_*` variables say.
"""

import argparse
import json
import os
import pathlib

import joblib
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from preprocess import seen
from rows import read


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--l2", type=float, required=True)
    parser.add_argument("--class-weight", default=None)
    parser.add_argument("--train", default=os.environ["SM_CHANNEL_TRAIN"])
    parser.add_argument("--model-dir", default=os.environ["SM_MODEL_DIR"])
    parser.add_argument("--output-data-dir", default=os.environ["SM_OUTPUT_DATA_DIR"])
    arguments = parser.parse_args()
    numbers, labels = read(arguments.train)
    model = make_pipeline(
        StandardScaler(), LogisticRegression(C=1 / arguments.l2, class_weight=arguments.class_weight)
    ).fit(numbers, labels)
    # As the job's metric definition finds it.
    print(f"train:accuracy={model.score(numbers, labels)};", flush=True)
    joblib.dump(model, pathlib.Path(arguments.model_dir) / "model.joblib")
    output = pathlib.Path(arguments.output_data_dir) / "seen.json"
    output.write_text(json.dumps(seen(__file__)))


if __name__ == "__main__":
    main()
