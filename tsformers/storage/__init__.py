"""Models saved as folders of JSON and safetensors, and the state files of streams."""

from tsformers.storage.folder import load, save

__all__ = ["load", "save"]
