"""Drawings in the tools that people open them with: Mermaid, bpmn.io's viewer, a browser."""

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, Page

from models.drawing import bpmn, mermaid, svg
from models.drawing.graph import links
from tests.unit.test_drawing import NODE, PLANS, worded

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        shutil.which("npm") is None and "CI" not in os.environ, reason="npm is not installed: no tool can be had"
    ),
]

WORD_JOINER, WIDE_LESS_THAN = "\u2060", "\uff1c"
HOSTILE = (
    'He said "no"; `twice`',
    "<script>alert(1)</script> & <b>bold</b>",
    "**bold** _thin_ [link](https://example.com)",
    "1. first %% comment --> end",
    "#quot; &quot; #35; \\n |x| }} {{",
)
RENDER = """async text => {
  await mermaid.parse(text);
  const { svg } = await mermaid.render('drawing', text);
  const sheet = document.getElementById('sheet');
  sheet.innerHTML = svg;
  const words = kind => [...sheet.querySelectorAll(kind)].map(node => node.textContent);
  return { nodes: words('.node'), edges: words('.edgeLabels span.edgeLabel'), title: words('.flowchartTitleText'),
    scripts: sheet.querySelectorAll('script, a').length };
}"""
OPEN = """async xml => {
  const viewer = new BpmnJS({container: '#sheet'});
  const { warnings } = await viewer.importXML(xml);
  const shown = viewer.get('elementRegistry').filter(element => !element.labelTarget && element.parent);
  viewer.destroy();
  return { warnings: warnings.map(String), shown: shown.map(element => element.id) };
}"""


async def _page(context: BrowserContext, script: str) -> Page:
    page = await context.new_page()
    await page.set_content('<div id="sheet" style="width: 1200px; height: 800px"></div>')
    await page.add_script_tag(path=NODE / "node_modules" / script)
    return page


@pytest.fixture
async def mermaid_page(browser_context: BrowserContext) -> AsyncIterator[Page]:
    """A page with Mermaid."""
    page = await _page(browser_context, "mermaid/dist/mermaid.min.js")
    await page.evaluate("mermaid.initialize({startOnLoad: false})")
    yield page
    await page.close()


@pytest.fixture
async def bpmn_page(browser_context: BrowserContext) -> AsyncIterator[Page]:
    """A page with bpmn.io's viewer."""
    page = await _page(browser_context, "bpmn-js/dist/bpmn-viewer.production.min.js")
    yield page
    await page.close()


@pytest.mark.parametrize("name", PLANS)
async def test_mermaid_renders_it(mermaid_page: Page, name: str) -> None:
    """A node for each stage and gate and for the beginning, a label on each route, and the title."""
    plan = PLANS[name]
    drawn = await mermaid_page.evaluate(RENDER, mermaid.draw(plan))
    gates = [stage.gate for stage in plan.stages if stage.gate]
    assert len(drawn["nodes"]) == 1 + len(plan.stages) + len(gates)
    assert sorted(filter(None, drawn["edges"])) == sorted(link.words for link in links(plan))
    assert plan.title in drawn["title"][0]


@pytest.mark.parametrize("text", HOSTILE)
async def test_mermaid_shows_what_people_wrote(mermaid_page: Page, text: str) -> None:
    """To the letter, whatever it would mean to Mermaid, Markdown or HTML."""
    plan = worded(PLANS["credit"], text)
    drawn = await mermaid_page.evaluate(RENDER, mermaid.draw(plan))
    nodes = ["".join(node.replace(WORD_JOINER, "").split()) for node in drawn["nodes"]]
    asked = sum(stage.gate is not None for stage in plan.stages)
    assert sum("".join(text.split()) in node for node in nodes) == asked
    assert text in drawn["title"][0].replace(WIDE_LESS_THAN, "<")
    assert drawn["scripts"] == 0


@pytest.mark.parametrize("name", PLANS)
async def test_bpmn_io_opens_it(bpmn_page: Page, name: str) -> None:
    """Without a warning, and every shape of the file is shown."""
    text = bpmn.draw(PLANS[name])
    found = await bpmn_page.evaluate(OPEN, text)
    assert found["warnings"] == []
    assert found["shown"]
    assert all(f'bpmnElement="{one}"' in text for one in found["shown"])


@pytest.mark.parametrize("name", PLANS)
async def test_a_browser_shows_the_svg(browser_context: BrowserContext, tmp_path: Path, name: str) -> None:
    """As a file of its own, with its title, and no text lies beside the sheet."""
    (tmp_path / "drawing.svg").write_text(svg.draw(PLANS[name]))
    page = await browser_context.new_page()
    await page.goto((tmp_path / "drawing.svg").as_uri())
    assert PLANS[name].title in await page.title()
    beside = await page.evaluate(
        """() => {
          const sheet = document.documentElement.getBoundingClientRect();
          const off = box => box.left < 0 || box.top < 0 || box.right > sheet.right || box.bottom > sheet.bottom;
          return [...document.querySelectorAll('text')]
            .filter(one => off(one.getBoundingClientRect())).map(one => one.textContent);
        }"""
    )
    assert beside == []
    await page.close()
