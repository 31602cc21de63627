"""Makes tests/reference/statistics.json: values of scipy and statsmodels over a grid of samples.

Needs: pip install scipy statsmodels. Run from the repository root: python tests/reference/statistics.py
"""

import json
import warnings

import numpy
import scipy.stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW, ttost_ind, ttost_paired

warnings.simplefilter("ignore")

SAMPLES = [
    ([1349, 1361, 1355], [1340, 1358, 1352]),
    ([0.7, 0.8], [0.71, 0.79]),
    ([0.912, 0.934], [0.7, 0.5]),
    ([0.7617, 0.7603, 0.7625], [0.7611, 0.7620, 0.7608]),
    ([1e6, 1e6 + 1, 1e6 + 2, 1e6 + 4], [1e6 - 300, 1e6 - 301, 1e6 - 299, 1e6 - 302]),
    ([1e-9, 3e-9, 2e-9], [5e-9, 4e-9, 9e-9]),
    ([3.0, 3.0, 3.0], [1.0, 2.0, 4.0]),
    ([0.1 * i for i in range(30)], [0.1 * i + 0.01 * (-1) ** i for i in range(30)]),
]
MARGINS = [0.001, 0.05, 2.0, 68.0]


def test(result):
    t, p, df = result
    return {"t": float(t), "p": float(p), "df": float(df)}


def compare(x, y):
    means = CompareMeans(DescrStatsW(x), DescrStatsW(y))
    kinds = {
        "paired": (
            scipy.stats.ttest_rel(x, y),
            DescrStatsW(numpy.subtract(x, y)).tconfint_mean(0.1),
            lambda m: ttost_paired(numpy.array(x), numpy.array(y), -m, m),
        ),
        "pooled": (
            scipy.stats.ttest_ind(x, y),
            means.tconfint_diff(0.1, usevar="pooled"),
            lambda m: ttost_ind(x, y, -m, m, usevar="pooled"),
        ),
        "welch": (
            scipy.stats.ttest_ind(x, y, equal_var=False),
            means.tconfint_diff(0.1, usevar="unequal"),
            lambda m: ttost_ind(x, y, -m, m, usevar="unequal"),
        ),
    }
    out = {}
    for kind, (differs, interval, tost) in kinds.items():
        out[kind] = {
            "differs": {"t": float(differs.statistic), "p": float(differs.pvalue), "df": float(differs.df)},
            "interval90": [float(end) for end in interval],
            "tost": [
                {"margin": m, "p": float(r[0]), "lower": test(r[1]), "upper": test(r[2])}
                for m, r in ((m, tost(m)) for m in MARGINS)
            ],
        }
    return out


def describe(x):
    n = len(x)
    low, high = scipy.stats.t.interval(0.95, n - 1, numpy.mean(x), scipy.stats.sem(x))
    return {
        "mean": float(numpy.mean(x)),
        "sd": float(numpy.std(x, ddof=1)),
        "ci95": [float(low), float(high)] if numpy.isfinite(low) else [float(numpy.mean(x))] * 2,
        "quantiles": [[q, float(numpy.quantile(x, q))] for q in (0, 0.1, 0.25, 0.5, 0.9, 1)],
    }


P_VALUES = [[0.01, 0.04, 0.03, 0.005], [0.5, 0.5, 0.001], [0.2], [1e-12, 0.9, 0.04, 0.04]]

fixture = {
    "comparisons": [{"x": x, "y": y, "describe": describe(x), **compare(x, y)} for x, y in SAMPLES],
    "holm": [{"p": p, "adjusted": [float(v) for v in multipletests(p, method="holm")[1]]} for p in P_VALUES],
    "tails": [
        {"t": t, "df": df, "p": float(scipy.stats.t.sf(t, df))}
        for t in (-30, -2, -0.1, 0.0, 0.5, 3, 40, 1e4)
        for df in (1, 2, 3.7, 10, 200)
    ],
    "critical": [
        {"tail": tail, "df": df, "t": float(scipy.stats.t.isf(tail, df))}
        for tail in (0.4, 0.1, 0.05, 0.025, 0.005, 1e-6)
        for df in (1, 2, 3.7, 10, 200)
    ],
}

with open("tests/reference/statistics.json", "w") as file:
    json.dump(fixture, file, indent=1)
    file.write("\n")
