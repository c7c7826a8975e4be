from tests.deployment.export.conftest import line, net, trees  # noqa: F401
