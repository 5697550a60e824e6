"""Measurements, run by hand with `make bench`; results are committed with the commit that made them."""
