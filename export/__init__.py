"""From a checkpoint to the artifact that the server runs. Reads the checkpoint's files; needs no torch."""
