//! Who asked for what.

use maud::{Markup, html};

use super::Look;
use super::layout::{Page, table};
use super::words::moment;
use crate::calls::Call;
use crate::protocol::encode;

/// How many calls are listed, the newest first.
const MOST: usize = 500;

pub(super) fn page(look: &Look<'_>) -> Page {
    let (service, operation) = (look.asked("service"), look.asked("operation"));
    let body = html! {
        @if !service.is_empty() || !operation.is_empty() {
            p { (service) " " (operation) " · " a href="/_stsmm/page/calls" { "all calls" } }
        }
        (shown(look, MOST, |call| {
            (service.is_empty() || call.service == service) && (operation.is_empty() || call.operation == operation)
        }))
    };
    Page::new("Calls", body)
}

/// The newest calls.
pub(super) fn newest(look: &Look<'_>, most: usize) -> Markup {
    html! {
        (shown(look, most, |_| true))
        p { a href="/_stsmm/page/calls" { "more" } " · " a href="/_stsmm/calls" { "as JSON" } }
    }
}

fn shown(look: &Look<'_>, most: usize, wanted: impl Fn(&Call) -> bool) -> Markup {
    let calls = look.fake.calls.snapshot();
    let rows = calls.iter().rev().filter(|call| wanted(call)).take(most).map(|call| {
        let of_operation =
            format!("/_stsmm/page/calls?service={}&operation={}", encode(&call.service), encode(&call.operation));
        vec![
            moment(call.time),
            html! { a href={ "/_stsmm/page/calls?service=" (encode(&call.service)) } { (call.service) } },
            html! { a href=(of_operation) { (call.operation) } },
            html! { (call.caller.rsplit(':').next().unwrap_or_default()) },
            html! { @if let Some(error) = &call.error { span.why { (error) } } },
        ]
    });
    table(&["time", "service", "operation", "caller", "error"], rows.collect(), "none yet")
}
