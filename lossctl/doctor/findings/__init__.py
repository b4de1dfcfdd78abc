"""The built-in findings of ``lossctl doctor``, by what they look at; any module put here is found by itself."""
