#!/usr/bin/env python3
"""Checks the tables of the experiments on real images: `check.py RESULTS`, with `mnist` and `emoji` in it.

The ranges are loose on purpose: they hold for other seeds and machines, and fail for a pipeline that is broken somewhere
between the files and the table.
"""

import csv
import os
import sys


def read(results, name):
    with open(os.path.join(results, name, "tables", "levels.csv")) as f:
        return [{key: value if key == "arm" else float(value) for key, value in row.items()} for row in csv.DictReader(f)]


def column(rows, name):
    """The column whose name begins so; a summary may say which statistic it holds."""
    return next(key for key in rows[0] if key.split("_mean")[0].split(" ")[0] == name)


def check(condition, message):
    if not condition:
        sys.exit(f"failed: {message}")
    print(f"holds: {message}")


def mnist(rows):
    top1 = column(rows, "top1")
    imp = {row["sparsity"]: row[top1] for row in rows if row["arm"] == "imp"}
    random = {row["sparsity"]: row[top1] for row in rows if row["arm"] == "random"}
    dense, last = imp[0.0], max(imp)
    check(0.90 <= dense <= 0.98, f"LeNet-300-100 learns 4 000 digits of MNIST: {dense:.3f}")
    check(last > 0.98, f"the last level is sparse: {last:.4f}")
    middle = [accuracy for sparsity, accuracy in imp.items() if sparsity <= 0.9]
    check(min(middle) >= dense - 0.03, f"tickets keep their accuracy up to 90 %: {min(middle):.3f}")
    check(imp[last] >= random[last] + 0.05, f"a ticket beats a random mask at the end: {imp[last]:.3f}, {random[last]:.3f}")


def emoji(rows):
    top1, units, concepts = [column(rows, name) for name in ("top1", "units", "concepts")]
    imp = sorted((row for row in rows if row["arm"] == "imp"), key=lambda row: row["sparsity"])
    untrained = next(row for row in rows if row["arm"] == "untrained")
    check(0.35 <= imp[0][top1] <= 0.95, f"categories of unseen emoji are told apart: {imp[0][top1]:.3f}")
    check(imp[0][top1] >= untrained[top1] + 0.15, f"untrained, they are not: {untrained[top1]:.3f}")
    check(imp[-1]["sparsity"] > 0.9, f"the last level is sparse: {imp[-1]['sparsity']:.3f}")
    for row in [*imp, untrained]:
        check(0 <= row[concepts] <= row[units] <= 32, f"counts are counts of 32 units: {row[units]}, {row[concepts]}")
    check(imp[0][units] >= 1, f"some unit of the dense network answers to a concept: {imp[0][units]}")


def main():
    results = sys.argv[1]
    mnist(read(results, "mnist"))
    emoji(read(results, "emoji"))


if __name__ == "__main__":
    main()
