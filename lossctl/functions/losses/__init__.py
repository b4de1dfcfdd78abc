"""The built-in losses, one module a family; any module put here is found by itself."""
