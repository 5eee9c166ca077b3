# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Style and script of the status page; both come from the agent itself, nothing comes from outside."""
from __future__ import annotations

STYLE = """
:root { color-scheme: light dark; --paper: #f6f7f9; --card: #fff; --ink: #1b1f24; --soft: #56606b; --line: #d5dae0;
  --good: #11682f; --good-bg: #e3f4e8; --bad: #a11b14; --bad-bg: #fdeae8; --busy: #0b5394; --busy-bg: #e4eefa;
  --warn: #7a4b00; --warn-bg: #fdf1da; --curve: #2b6cb0; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171b; --card: #1d2227; --ink: #e7eaee; --soft: #a6b0bb;
  --line: #39414a; --good: #7fdc9b; --good-bg: #14301e; --bad: #ffa198; --bad-bg: #3a1a18; --busy: #8fc3ff;
  --busy-bg: #14283d; --warn: #f2c46d; --warn-bg: #33270f; --curve: #79b3ee; } }
* { box-sizing: border-box; }
body { background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; margin: 0; }
main, header, footer { margin: 0 auto; max-width: 68rem; padding: 0 1rem; }
header { align-items: baseline; display: flex; flex-wrap: wrap; gap: .25rem 1rem; padding-top: 1rem; }
h1 { font-size: 1.35rem; margin: 0; overflow-wrap: anywhere; } h2 { font-size: 1.05rem; margin: 1.75rem 0 .5rem; }
a { color: var(--busy); }
a:focus-visible, [tabindex]:focus-visible { outline: 3px solid var(--busy); outline-offset: 2px; }
.soft { color: var(--soft); } .live { margin-left: auto; }
.verdict { border-left: .5rem solid; border-radius: .5rem; margin-top: 1rem; padding: .75rem 1rem; }
.verdict p { margin: .15rem 0; } .answer { font-size: 1.5rem; font-weight: 700; line-height: 1.25; }
.good { background: var(--good-bg); border-color: var(--good); } .good .answer, .tag.good { color: var(--good); }
.bad { background: var(--bad-bg); border-color: var(--bad); } .bad .answer, .tag.bad { color: var(--bad); }
.busy { background: var(--busy-bg); border-color: var(--busy); } .busy .answer, .tag.busy { color: var(--busy); }
.warn { background: var(--warn-bg); border-color: var(--warn); } .warn .answer, .tag.warn { color: var(--warn); }
.tag { border-radius: .3rem; font-weight: 600; padding: .05rem .45rem; white-space: nowrap; }
progress { accent-color: var(--busy); display: block; height: 1.1rem; margin: .35rem 0; width: 100%; }
.tiles { display: grid; gap: .75rem; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); margin: 1rem 0; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .6rem .8rem; }
.tile dt { color: var(--soft); font-size: .85rem; } .tile dd { font-size: 1.25rem; font-weight: 600; margin: 0; }
.tile .note { color: var(--soft); display: inline-block; font-size: .85rem; font-weight: 400; line-height: 1.4; }
.tile a { font-size: 1rem; }
.spark { display: block; height: 2.5rem; margin-top: .3rem; width: 100%; }
.spark path { fill: none; stroke: var(--curve); stroke-width: 2; vector-effect: non-scaling-stroke; }
.cards { list-style: none; margin: 0; padding: 0; }
.cards > li { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; margin: .5rem 0;
  overflow-wrap: anywhere; padding: .6rem .8rem; }
.cards p { margin: .2rem 0; } code { font-size: .9em; }
.steps { counter-reset: step; display: grid; gap: .4rem; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr));
  list-style: none; margin: 0; padding: 0; }
.steps > li { background: var(--card); border: 1px solid var(--line); border-left-width: .4rem; border-radius: .4rem;
  padding: .4rem .6rem; }
.steps .done { border-left-color: var(--good); } .steps .running { border-left-color: var(--busy); }
.steps .failed { border-left-color: var(--bad); }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .6rem .3rem 0; text-align: left; vertical-align: top; }
td.number, th.number { font-variant-numeric: tabular-nums; text-align: right; }
.number + :not(.number) { padding-left: 1.5rem; }
nav ul { display: flex; flex-wrap: wrap; gap: .4rem 1rem; list-style: none; margin: .5rem 0; padding: 0; }
footer { color: var(--soft); font-size: .85rem; padding-bottom: 2rem; padding-top: 2rem; }
@media print { .live { display: none; } .tile, .cards > li { break-inside: avoid; } }
"""

# The server renders everything; the script asks for the page's body again whenever an event says that something has
# changed, and puts in what differs, so that focus and scrolling stay where they are.
SCRIPT = """
'use strict';
(() => {
  const live = document.getElementById('live');
  const say = (text) => { if (live.textContent !== text) { live.textContent = text; } };
  let busy = false, again = false;
  const refresh = async () => {
    if (busy) { again = true; return; }
    busy = true;
    try {
      const answer = await fetch(location.href, { cache: 'no-store', credentials: 'same-origin' });
      if (!answer.ok) { throw new Error(String(answer.status)); }
      const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
      document.title = fresh.title;
      for (const part of fresh.querySelectorAll('[data-part]')) {
        const name = part.getAttribute('data-part');
        const shown = document.querySelector('[data-part="' + name + '"]');
        if (shown && shown.innerHTML !== part.innerHTML) {
          const focused = shown.contains(document.activeElement) ? document.activeElement.id : '';
          shown.innerHTML = part.innerHTML;
          shown.className = part.className;
          if (focused && document.getElementById(focused)) { document.getElementById(focused).focus(); }
        }
      }
      say('live');
    } catch (error) { say('the agent does not answer; trying again'); }
    busy = false;
    if (again) { again = false; setTimeout(refresh, 500); }
  };
  const source = new EventSource('/v1/migration/events');
  source.onopen = () => { say('live'); refresh(); };
  source.onerror = () => say('the agent does not answer; trying again');
  for (const kind of ['state', 'ready', 'blocked', 'step', 'attempt', 'problem', 'resolved', 'lag', 'status']) {
    source.addEventListener(kind, refresh);
  }
  setInterval(refresh, 5000);
})();
"""
