"""Conformance suites for authors of plug-ins: subclass ``RegularizerSuite`` or ``ControllerSuite``, give one fixture.

These files need pytest; nothing else in the package imports them.
"""
