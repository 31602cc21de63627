#!/usr/bin/env python3
"""Times NetDissect-Lite's own code beside pdsl's dissection, on the same maps and labels and without the network:

    cargo bench --bench dissection -- --maps /tmp/maps      (prints where the probe is)
    benches/vs_netdissect.py --lite CHECKOUT --maps /tmp/maps --probe DIR [--images 20]
    cargo bench --bench dissection

Needs numpy, scipy, Pillow, torch. The checkout is of CSAILVision/NetDissect-Lite.
"""

import argparse
import contextlib
import io
import os
import sys
import time

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "reference", "dissection"))
import tools


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("lite", "maps", "probe"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--images", type=int, default=20)
    options = parser.parse_args()
    tools.shim_old_libraries()
    tools.UNITS = 2048
    maps = np.fromfile(options.maps, dtype=np.float32).reshape(-1, tools.UNITS, 7, 7)
    # The thresholds are of all images; the counting is timed on the first few.
    few = tools.records
    tools.records = lambda data: (record for record in few(data) if record["i"] < options.images)
    # As the tool does, activations are kept in 64 bits.
    maps = maps.astype(float)
    times = {}
    with contextlib.redirect_stdout(io.StringIO()):
        import types

        for part in ("quantile_threshold", "tally"):
            times[part] = 0.0

        def timed(name, function):
            def run(*arguments, **more):
                began = time.perf_counter()
                result = function(*arguments, **more)
                times[name] += time.perf_counter() - began
                return result
            return run

        load = tools.load

        def instrumented(folder, *names, **more):
            found = load(folder, *names, **more)
            if names[0] == "feature_operation":
                operator = found[0].FeatureOperator
                for part in times:
                    setattr(operator, part, timed(part, getattr(operator, part)))
                operator.tally_job = staticmethod(operator.tally_job)
            return found

        tools.load = instrumented
        tools.lite(options.lite, options.probe, maps)
    print(f"thresholds: {times['quantile_threshold'] * 1e3 / len(maps):.1f} ms an image")
    print(f"counting: {times['tally'] * 1e3 / options.images:.1f} ms an image")


if __name__ == "__main__":
    main()
