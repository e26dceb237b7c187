"""Saved models: a folder of JSON and safetensors."""

from tsformers.storage.folder import load, save

__all__ = ["load", "save"]
