from temperance.deployment.export.forms import FORMS
from temperance.deployment.export.program.write import graph_of


def test_nothing_changes(net):
    model = graph_of(net.bundle)
    made = FORMS["as it is"].convert(model, None)
    assert made.SerializeToString() == model.SerializeToString()
    assert made is not model
