"""Released weights, installed with the package: one folder per artifact."""
