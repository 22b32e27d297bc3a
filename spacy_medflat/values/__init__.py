"""Numbers, units, results and doses beside tests and drugs."""
