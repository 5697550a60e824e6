"""From a torch checkpoint to the artifact that the server runs."""
