"""Other people's checkpoints, brought under our names: tables of names and a few named transforms."""
