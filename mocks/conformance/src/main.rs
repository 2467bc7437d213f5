//! `cargo xtask live-tests`: the conformance suite against a real account.
//!
//! Nobody has run it against AWS yet: what is known of AWS is from its documentation, its SDKs and what others report. A
//! case that fails there is a fault of the fake's, or of the case.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail, ensure};
use clap::{Parser, ValueEnum};
use conformance::guard::{self, ACCOUNTS, Caller};
use conformance::{Account, Case, Clients, Cost, World, cases, wait};
use toolkit::aws::config::{self, Target};
use toolkit::settings::{Flags, Settings, Sources};
use toolkit::site::Site;

/// Runs the conformance suite against the AWS account of your credentials: it makes resources there, which are tagged and
/// removed again, and some of which cost money.
///
/// It works with your own credentials, and hands the role of AWS_ROLE to SageMaker. It needs a bucket that this role may read
/// and write (STSMM_BUCKET, or the default one), and for jobs and endpoints the image of sts-container in the account's
/// registry (`cargo xtask image push`).
#[derive(Parser)]
#[command(name = "cargo xtask live-tests", bin_name = "cargo xtask live-tests")]
struct Cli {
    /// The account that is meant; it must also be among those of STSMM_LIVE_TESTS_ACCOUNTS
    #[arg(long)]
    account: Option<String>,
    /// What the cases may cost at most
    #[arg(long, value_enum, default_value_t = Budget::Free)]
    budget: Budget,
    /// Only cases whose names contain this
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Lists the cases, and what they cost; asks AWS for nothing
    #[arg(long)]
    dry: bool,
    /// Goes on without asking: what is made and charged is agreed to
    #[arg(long)]
    yes: bool,
}

/// How much the cases of a run may cost.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Budget {
    /// Nothing
    Free,
    /// Instances for some minutes each
    Cents,
    /// Those, and hours of waiting
    Hours,
}

impl Budget {
    fn allows(self, cost: Cost) -> bool {
        match cost {
            Cost::Free => true,
            Cost::Cents(_) => self != Self::Free,
            Cost::Hours(_) => self == Self::Hours,
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1).peekable();
    // Where the fake runs the suite, this program stands for the image.
    if arguments.peek().is_some_and(|verb| verb == "container") {
        return sts_container::run(arguments.skip(1));
    }
    match run(Cli::parse()).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let wanted =
        |case: &Case| cli.budget.allows(case.cost) && cli.only.as_deref().is_none_or(|part| case.name.contains(part));
    let cases: Vec<_> = cases().into_iter().filter(wanted).collect();
    ensure!(!cases.is_empty(), "no case of this budget has such a name");
    if cli.dry {
        cases.iter().for_each(|case| println!("{}  {}  {}", case.name, price(case.cost), case.operations.join(" ")));
        eprintln!("{}", notice(&cases));
        return Ok(ExitCode::SUCCESS);
    }
    let account = guard::named(cli.account.as_deref(), std::env::var(ACCOUNTS).ok().as_deref())?;
    let (clients, account) = open(&account).await?;
    eprintln!("{}", notice(&cases));
    eprintln!("in account {} ({}), in bucket {}, as role {}", account.id, account.region, account.bucket, account.role);
    if !cli.yes {
        bail!("nothing was made: add `--yes` to go on");
    }
    Ok(go(&cases, &clients, &account).await)
}

fn price(cost: Cost) -> String {
    match cost {
        Cost::Free => "free".to_owned(),
        Cost::Cents(cents) => format!("less than {cents} cents"),
        Cost::Hours(cents) => format!("less than {cents} cents, and hours of waiting"),
    }
}

/// What is about to happen.
fn notice(cases: &[Case]) -> String {
    let cents: u32 = cases
        .iter()
        .map(|case| match case.cost {
            Cost::Free => 0,
            Cost::Cents(cents) | Cost::Hours(cents) => cents,
        })
        .sum();
    format!(
        "{} cases make pipelines, models, endpoints, jobs, roles, buckets and objects whose names begin with `stsmm-`, and remove \
         them; logs and metrics stay.\nThey cost less than {}.{:02} dollars. This suite has never been run against a real account.",
        cases.len(),
        cents / 100,
        cents % 100
    )
}

/// The clients of the account that is meant, after a look at who calls.
async fn open(account: &str) -> anyhow::Result<(Clients, Account)> {
    let current = std::env::current_dir()?;
    let settings = Sources::of_process(Flags::default(), &current).and_then(|sources| Settings::resolve(&sources));
    let settings = settings.map_err(|failure| anyhow::anyhow!(failure.report(false)))?;
    let role = settings.role.as_ref().context("AWS_ROLE is not set: the role that SageMaker works as")?;
    let clients = Clients::new(&config::load(&settings, Target::Aws, config::https()).await);
    let caller = clients.sts.get_caller_identity().send().await.context("who calls is not known")?;
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    guard::admitted(&Caller { account: text(caller.account()), arn: text(caller.arn()) }, account)?;
    let site = Site::new(&settings, account, Some(&role.arn));
    let head = clients.s3.head_bucket().bucket(&site.bucket).expected_bucket_owner(account).send().await;
    head.with_context(|| format!("the bucket {} is not there, or not this account's", site.bucket))?;
    let Site { account: id, region, role, bucket, image, .. } = site;
    Ok((clients, Account { id, region, role, bucket, image }))
}

/// One case after the other. An interrupted one is cleaned up after, and is the last.
async fn go(cases: &[Case], clients: &Clients, account: &Account) -> ExitCode {
    let run = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let (mut failed, mut left) = (0, Vec::new());
    let mut interrupted = false;
    for (number, case) in cases.iter().enumerate() {
        // Ten digits for the time, a letter, and the number of the case.
        let world = World::new(clients.clone(), account.clone(), Arc::new(wait::Real), format!("{run:x}c{number}"));
        let result = tokio::select! {
            result = case.run(&world) => Some(result),
            _ = tokio::signal::ctrl_c() => None,
        };
        match &result {
            Some(Ok(())) => println!("pass  {}", case.name),
            Some(Err(error)) => {
                failed += 1;
                println!("FAIL  {}: {error:?}", case.name);
            }
            None => eprintln!("interrupted: removing what {} has made", case.name),
        }
        left.extend(world.clean().await);
        if result.is_none() {
            interrupted = true;
            break;
        }
    }
    left.iter().for_each(|left| println!("LEFT  {left}"));
    match (interrupted, failed, left.is_empty()) {
        (true, ..) => ExitCode::from(130),
        (false, 0, true) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}
