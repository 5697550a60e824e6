"""The search index of a workspace: what is found, how it is cut, stored, and brought up to date."""
