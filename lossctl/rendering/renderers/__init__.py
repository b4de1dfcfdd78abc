"""The built-in output formats; any module put here is found by itself."""
