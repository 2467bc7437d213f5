"""A model and rows that it has not seen to evaluation.json: a processing script with others beside it."""

import json
import tarfile

import joblib
from sklearn.metrics import accuracy_score, confusion_matrix, mean_squared_error, roc_auc_score

from preprocess import PROCESSING, seen, write
from rows import read


def main():
    with tarfile.open(PROCESSING / "model" / "model.tar.gz") as archive:
        model = joblib.load(archive.extractfile("model.joblib"))
    numbers, labels = read(PROCESSING / "test")
    predicted = model.predict(numbers)
    scores = {
        "accuracy": accuracy_score(labels, predicted),
        "auc": roc_auc_score(labels, model.predict_proba(numbers)[:, 1]),
    }
    counts = confusion_matrix(labels, predicted).tolist()
    report = {
        "regression_metrics": {"mse": {"value": mean_squared_error(labels, predicted), "standard_deviation": "NaN"}},
        "binary_classification_metrics": {
            **{name: {"value": value, "standard_deviation": "NaN"} for name, value in scores.items()},
            "confusion_matrix": {str(row): {str(column): count for column, count in enumerate(of_row)}
                                 for row, of_row in enumerate(counts)},
        },
    }
    write("evaluation", "evaluation.json", json.dumps(report))
    write("seen", "evaluate.json", json.dumps(seen(__file__)))
    print(json.dumps(scores), flush=True)


if __name__ == "__main__":
    main()
