"""Measurements, run by hand with `make bench`; results are committed under `results/` with the commit that made them."""
