"""The built-in formats, one file each; any module put here is found by itself."""
