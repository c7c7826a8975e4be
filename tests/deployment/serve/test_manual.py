from temperance.deployment.bundle import load
from temperance.deployment.serve.manual import page
from temperance.deployment.serve.openapi import describe


def test_the_page_names_all_paths_and_columns_and_runs_no_script(shipped):
    document = describe(load(shipped), admin=True)
    text = page(document).decode()
    assert all(path in text for path in document["paths"])
    assert all(f"<code>{name}</code>" in text for name in ("x0", "c1"))
    assert "<script" not in text
    assert "https://" not in text.replace("http://www.w3.org", "")


def test_names_are_text_and_nothing_else(shipped):
    document = describe(load(shipped), admin=False)
    document["info"]["title"] = "<script>alert(1)</script>"
    document["components"]["schemas"]["row"]["properties"] = {"<b>": {"description": "<i>"}}
    text = page(document).decode()
    assert "<script>alert" not in text
    assert "<b>" not in text
