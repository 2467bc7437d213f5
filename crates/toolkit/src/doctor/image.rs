//! The image of the steps: whether it is in the registry, and the role may pull it.

use super::Examined;
use super::finding::{Finding, Repair};
use super::role::Session;
use crate::observe::Seen;
use crate::observe::image::{Named, image, own_repository};
use crate::plan::Verdict;
use crate::plans::image::{differs, pin};

/// Looks for it as the role, and at the repository, if that is the account's.
pub(super) async fn look(examined: &Examined<'_>, session: &Session) -> Finding {
    const ID: &str = "image";
    const WHY: &str = "SageMaker pulls it for each step, and for the endpoint";
    let (site, needed, ecr) = (&examined.site, examined.needs_image, &session.clients.ecr);
    let named = match Named::read(&site.image) {
        Ok(named) => named,
        Err(_) if !needed => {
            return Finding::pass(ID, format!("{} is none of ECR's, and is not looked for", site.image));
        }
        Err(failure) => return Finding::of_failure(ID, &failure).why(WHY),
    };
    let finding = match image(ecr, site, &named).await {
        Err(failure) => Finding::of_refusal(ID, "ecr:BatchGetImage", &failure).why(WHY),
        Ok(found) => match pin(&site.image, &named, found.as_ref(), needed) {
            (_, None) => {
                let instead = "is not in the registry: what the fake has for it runs in its place";
                Finding::pass(ID, format!("{} {instead}", site.image))
            }
            (_, Some(action)) if action.verdict == Verdict::Missing => {
                let push = Repair::Run(format!("cargo xtask image push{}", examined.flags));
                Finding::fail(ID, format!("{}: {}", site.image, action.because)).why(WHY).repaired_by(push)
            }
            (pinned, Some(_)) => Finding::pass(ID, format!("{pinned}{}", remark(examined, session).await)),
        },
    };
    finding.asked(&["ecr:BatchGetImage"], &session.arn)
}

/// In what the repository differs from one of our making. Who may not look at it does not hear of it.
async fn remark(examined: &Examined<'_>, session: &Session) -> String {
    match own_repository(&session.clients.ecr, &examined.site).await {
        Ok(Some((_, Seen::Present(found)))) => {
            differs(&found).into_iter().map(|difference| format!("; {difference}")).collect()
        }
        _ => String::new(),
    }
}
