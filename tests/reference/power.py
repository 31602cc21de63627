"""Makes tests/reference/power.json: power of t tests by statsmodels, and of two one-sided tests by scipy.

Needs: pip install scipy statsmodels. Run from the repository root: python tests/reference/power.py
"""

import json
import math

import numpy
import scipy.integrate
import scipy.stats
from statsmodels.stats.power import TTestIndPower, TTestPower

SIZES = [2, 3, 5, 10, 30, 200]
EFFECTS = [0.0, 0.1, 0.5, 1.0, 2.5]
ALPHAS = [0.05, 0.01]


def tost(low, high, effect, error, df, alpha):
    """Owen's Q by another route: the integral over the chi distribution, by adaptive quadrature."""
    t = scipy.stats.t.isf(alpha, df)
    low, high = (low - effect) / error, (high - effect) / error
    most = (high - low) / (2 * t)
    law = scipy.stats.chi(df, scale=1 / math.sqrt(df))
    inside = lambda s: (scipy.stats.norm.cdf(high - t * s) - scipy.stats.norm.cdf(low + t * s)) * law.pdf(s)
    edges = numpy.linspace(0, min(most, 1 + 15 / math.sqrt(2 * df)), 40)
    parts = [scipy.integrate.quad(inside, a, b, epsabs=1e-13, epsrel=1e-12)[0] for a, b in zip(edges, edges[1:])]
    return float(sum(parts))


def known(power):
    """Far out, the noncentral t law that statsmodels uses gives no number."""
    return None if math.isnan(power) else float(power)


def cases():
    for n in SIZES:
        for effect in EFFECTS:
            for alpha in ALPHAS:
                yield {
                    "n": n,
                    "effect": effect,
                    "alpha": alpha,
                    "paired": known(TTestPower().power(effect, n, alpha, alternative="two-sided")),
                    "larger": known(TTestPower().power(effect, n, alpha, alternative="larger")),
                    "unpaired": known(TTestIndPower().power(effect, n, alpha, alternative="two-sided")),
                    "equivalent": tost(-2, 2, effect, 1 / math.sqrt(n), n - 1, alpha),
                }


with open("tests/reference/power.json", "w") as file:
    json.dump(list(cases()), file, indent=1)
    file.write("\n")
