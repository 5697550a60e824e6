"""Where source text comes from: one module per family of sources, all behind `fetch`."""
