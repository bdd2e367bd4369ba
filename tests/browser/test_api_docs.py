"""The viewers of the API draw under the strict policy, from this server alone."""

import pytest

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("path", ["/api/docs/", "/api/docs/reference/"])
def test_the_docs_draw_without_the_internet(chromium, server, path):
    context = chromium.new_context(base_url=server, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(path)
    page.get_by_text("/api/v1/cards/").first.wait_for(timeout=15_000)
    context.close()
    assert faults == []
