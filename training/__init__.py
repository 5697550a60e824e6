"""Objectives, corpus, trainer, recipes and evaluation."""
