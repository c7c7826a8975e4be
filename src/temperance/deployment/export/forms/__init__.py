"""Forms of a graph: how its weights are stored and its products are computed."""

from __future__ import annotations

from temperance.deployment.export.forms.asis import AsIs
from temperance.deployment.export.forms.base import Feed, Form
from temperance.deployment.export.forms.half import Half
from temperance.deployment.export.forms.integer import Dynamic, Static
from temperance.deployment.export.forms.stored import StoredFloat, StoredInteger

FORMS: dict[str, Form] = {
    form.name: form
    for form in (AsIs(), StoredFloat("float16"), StoredFloat("bfloat16"), StoredInteger(), Dynamic(), Static(), Half())
}
__all__ = ["FORMS", "AsIs", "Dynamic", "Feed", "Form", "Half", "Static", "StoredFloat", "StoredInteger"]
