"""Sentence pairs to rows of numbers: the processing script of the scripts journey.

It runs as `python3 /opt/ml/processing/input/code/preprocess.py`, with nothing of this folder beside it. The other scripts
take from it what they must have in common: what the features are, and what of their job is put on record.
"""

import argparse
import csv
import difflib
import json
import os
import pathlib
import re
import sys
import zlib

PROCESSING = pathlib.Path("/opt/ml/processing")


def features(first, second):
    """How alike two sentences are, above all in what must not differ: numbers and names."""
    sentences = [re.findall(r"\w+", sentence) for sentence in (first, second)]
    words = [{word.lower() for word in sentence} for sentence in sentences]
    numbers = [{word for word in sentence if word[0].isdigit()} for sentence in sentences]
    # The first word has a capital whatever it is.
    names = [{word for word in sentence[1:] if word[0].isupper()} for sentence in sentences]
    return [
        overlap(*words),
        difflib.SequenceMatcher(None, first.lower(), second.lower(), autojunk=False).ratio(),
        float(len(numbers[0] ^ numbers[1])),
        float(len(names[0] ^ names[1])),
        overlap(*names),
    ]


def overlap(first, second):
    return len(first & second) / max(len(first | second), 1)


def seen(script):
    """What a script finds around it, for whoever asks whether it was the right thing."""
    folder = pathlib.Path("/opt/ml")
    return {
        "script": os.path.realpath(script),
        "arguments": sys.argv[1:],
        "folder": os.getcwd(),
        "python": sys.prefix,
        "environment": {name: value for name, value in os.environ.items() if name.startswith(("SM_", "TRAINING_JOB"))},
        "files": sorted(str(path) for path in folder.rglob("*") if path.is_file()),
    }


def write(folder, name, content):
    path = PROCESSING / folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--test-share", type=float, required=True)
    share = parser.parse_args().test_share
    rows = {"train": [], "test": []}
    for path in sorted((PROCESSING / "pairs").rglob("*.tsv")):
        with path.open(encoding="utf-8-sig", newline="") as file:
            # A quotation mark is text.
            for pair in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
                first, second = pair["#1 String"], pair["#2 String"]
                # The same split in whatever order they come.
                drawn = zlib.crc32(f"{first}\t{second}".encode()) / 2**32
                numbers = [int(pair["Quality"]), *features(first, second)]
                rows["test" if drawn < share else "train"].append(",".join(map(str, numbers)))
    for part, lines in rows.items():
        write(part, f"{part}.csv", "\n".join(lines) + "\n")
        print(f"{part}: {len(lines)} rows", flush=True)
    write("seen", "preprocess.json", json.dumps(seen(__file__)))
    pathlib.Path("/opt/ml/output/message").write_text(f"{len(rows['train'])} rows to train with")


if __name__ == "__main__":
    main()
