"""One file per protocol method: translate, delegate, translate back."""
