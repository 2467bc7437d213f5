//! What every page has around it.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::Look;
use super::words::{ahead, moment};

const STYLE: &str = include_str!("style.css");

/// How long a page stays as it is while something on it is on its way, in seconds.
const WHILE_LIVE: u32 = 2;

/// A page, without what is around it.
pub(super) struct Page {
    title: String,
    body: Markup,
    live: bool,
}

impl Page {
    pub(super) fn new(title: impl Into<String>, body: Markup) -> Self {
        Self { title: title.into(), body, live: false }
    }

    /// It is asked for again every few seconds, since something on it is on its way.
    pub(super) fn live(mut self, live: bool) -> Self {
        self.live = live;
        self
    }

    pub(super) fn render(self, look: &Look<'_>) -> Markup {
        let fake = look.fake;
        let scenario = fake.scenario();
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    @if self.live { meta http-equiv="refresh" content=(WHILE_LIVE); }
                    title { (self.title) " · account " (fake.account()) }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    header {
                        a.home href="/_stsmm/" { "account " (fake.account()) }
                        span { "scenario " b { (scenario.name) } @if fake.enforces_iam() { ", IAM enforced" } }
                        span { (moment(fake.clock.now())) " UTC, " (ahead(fake.clock.offset().duration())) }
                    }
                    main {
                        h1 { (self.title) }
                        (self.body)
                    }
                    @if self.live { footer { "Something here is on its way: this page is asked for again every " (WHILE_LIVE) " seconds." } }
                }
            }
        }
    }
}

/// Facts, one a line: what, and how it is. Those without a value are left out.
pub(super) fn facts(facts: impl IntoIterator<Item = (&'static str, Option<Markup>)>) -> Markup {
    html! {
        dl {
            @for (what, how) in facts {
                @if let Some(how) = how {
                    div { dt { (what) } dd { (how) } }
                }
            }
        }
    }
}

/// A table, or a word that there is nothing to put in it.
pub(super) fn table(heads: &[&str], rows: Vec<Vec<Markup>>, none: &str) -> Markup {
    if rows.is_empty() {
        return html! { p.soft { (none) } };
    }
    html! {
        div.scroll {
            table {
                thead { tr { @for head in heads { th scope="col" { (head) } } } }
                tbody {
                    @for row in &rows {
                        tr { @for (cell, head) in row.iter().zip(heads) { td data-head=(head) { (cell) } } }
                    }
                }
            }
        }
    }
}

/// A part of a page, unless there is nothing in it.
pub(super) fn section(title: &str, body: Markup) -> Markup {
    html! { section { h2 { (title) } (body) } }
}

/// Text, if there is any.
pub(super) fn text(text: Option<&str>) -> Option<Markup> {
    text.filter(|text| !text.is_empty()).map(|text| html! { (text) })
}
