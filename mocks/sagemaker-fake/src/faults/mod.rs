//! Faults on request: what AWS does on a bad day, for those who want to see what follows.
//!
//! A [`Rule`] says what goes wrong and when. Rules come from the scenario, from the control API and from tests, and live in
//! memory only: a state that is opened again has its scenario's rules and no others.
//!
//! | file | knows |
//! |---|---|
//! | `rule` | the rule: what it is about, and which turns it takes |
//! | `written` | the rule as scenario files and the control API write it, and what can be wrong with that |
//! | `call` | what happens to calls, in each service's own words |
//! | `job` | what happens to jobs |
//! | `wire` | what happens to an answer on its way |

mod call;
mod job;
mod rule;
mod wire;
mod written;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

pub use call::CallFault;
pub use job::JobFault;
pub use rule::{Fault, Rule, RuleError};
pub use wire::OnTheWire;

pub(crate) use call::{Asked, Way, strike};
pub(crate) use wire::leave;

use crate::Fake;
use crate::jobs::Job;

/// The rules in force, and how often each has acted.
#[derive(Debug, Default)]
pub struct Faults {
    /// Whether there is any rule: most fakes have none, and their calls need not ask further.
    any: AtomicBool,
    rules: Mutex<Rules>,
}

#[derive(Debug, Default)]
struct Rules {
    in_force: Vec<InForce>,
    last_id: u64,
}

/// A rule in force.
#[derive(Debug, Clone, Serialize)]
pub struct InForce {
    /// Tells it from the others.
    pub id: u64,
    /// The rule.
    #[serde(flatten)]
    pub rule: Rule,
    /// How many calls or jobs it was about, so far.
    pub seen: u64,
    /// How many of them it has struck.
    pub acted: u64,
    #[serde(skip)]
    dice: fastrand::Rng,
}

impl Faults {
    /// These rules, in this order.
    pub(crate) fn new(rules: impl IntoIterator<Item = Rule>) -> Self {
        let faults = Self::default();
        faults.begin(rules);
        faults
    }

    /// Begins again with these rules, in this order.
    pub(crate) fn begin(&self, rules: impl IntoIterator<Item = Rule>) {
        self.clear();
        for rule in rules {
            self.put(rule);
        }
    }

    /// Puts a rule in force, after those that are; its id. Of several rules that strike one call or job, the first acts.
    ///
    /// # Errors
    /// When the rule contradicts itself, or is about something that there is not.
    pub fn add(&self, rule: Rule) -> Result<u64, RuleError> {
        rule.check()?;
        Ok(self.put(rule))
    }

    fn put(&self, rule: Rule) -> u64 {
        let mut rules = self.lock();
        rules.last_id += 1;
        let id = rules.last_id;
        let dice = fastrand::Rng::with_seed(rule.seed());
        rules.in_force.push(InForce { id, rule, seen: 0, acted: 0, dice });
        self.any.store(true, Ordering::Release);
        id
    }

    /// Lifts a rule; says whether there was one of this id.
    pub fn remove(&self, id: u64) -> bool {
        let mut rules = self.lock();
        let before = rules.in_force.len();
        rules.in_force.retain(|rule| rule.id != id);
        self.any.store(!rules.in_force.is_empty(), Ordering::Release);
        rules.in_force.len() < before
    }

    /// Lifts all rules.
    pub fn clear(&self) {
        self.lock().in_force.clear();
        self.any.store(false, Ordering::Release);
    }

    /// The rules in force, oldest first.
    #[must_use]
    pub fn list(&self) -> Vec<InForce> {
        self.lock().in_force.clone()
    }

    /// Whether nothing goes wrong on request.
    pub(crate) fn none(&self) -> bool {
        !self.any.load(Ordering::Acquire)
    }

    /// What goes wrong with a call that is being made.
    pub(crate) fn of_call(&self, asked: &Asked<'_>) -> Option<CallFault> {
        self.strike(|rule| rule.is_about_call(asked)).and_then(|fault| match fault {
            Fault::Call(fault) => Some(fault),
            Fault::Job(_) => None,
        })
    }

    /// What goes wrong with a job that is being started.
    pub(crate) fn of_job(&self, fake: &Fake, job: &Job) -> Option<JobFault> {
        self.strike(|rule| rule.is_about_job(fake, job)).and_then(|fault| match fault {
            Fault::Call(_) => None,
            Fault::Job(fault) => Some(fault),
        })
    }

    /// The fault of the first rule whose turn it is. Every rule counts what it is about, whichever acts.
    fn strike(&self, is_about: impl Fn(&Rule) -> bool) -> Option<Fault> {
        if self.none() {
            return None;
        }
        let mut struck = None;
        for InForce { rule, seen, acted, dice, .. } in &mut self.lock().in_force {
            if is_about(rule) {
                *seen += 1;
                if rule.has_turn(*seen, *acted, dice) && struck.is_none() {
                    *acted += 1;
                    struck = Some(rule.fault().clone());
                }
            }
        }
        struck
    }

    fn lock(&self) -> MutexGuard<'_, Rules> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which of ten calls of ListModels a rule strikes.
    fn struck(rule: Rule) -> Vec<u64> {
        let faults = Faults::default();
        faults.add(rule).unwrap();
        let asked = Asked { service: "sagemaker", operation: "ListModels", caller: "", pages: true, way: Way::Wire };
        (1..=10).filter(|_| faults.of_call(&asked).is_some()).collect()
    }

    #[test]
    fn a_rule_takes_its_turns() {
        let throttle = || Rule::new(CallFault::Throttle);
        let all: Vec<_> = (1..=10).collect();
        assert_eq!(struck(throttle()), all);
        assert_eq!(struck(throttle().times(2)), [1, 2]);
        assert_eq!(struck(throttle().nth(3)), [3]);
        assert_eq!(struck(throttle().from(9)), [9, 10]);
        assert_eq!(struck(throttle().to(2)), [1, 2]);
        assert_eq!(struck(throttle().from(4).times(2)), [4, 5]);
        assert_eq!(struck(throttle().operation("CreateModel")), [0; 0]);
        // The dice are the same every time, and others with another seed.
        let diced = |seed| struck(throttle().probability(0.5, seed));
        assert_eq!(diced(1), diced(1));
        assert_ne!(diced(1), diced(2));
        assert_eq!(struck(throttle().probability(1.0, 1)), all);
        assert_eq!(struck(throttle().probability(0.5, 1).times(1)), diced(1)[..1]);
    }

    #[test]
    fn the_first_rule_acts_and_every_rule_counts() {
        let faults = Faults::default();
        faults.add(Rule::new(CallFault::Throttle).nth(2)).unwrap();
        let second = faults.add(Rule::new(CallFault::InternalError).service("sagemaker").times(2)).unwrap();
        faults.add(Rule::new(CallFault::Unavailable).service("s3")).unwrap();
        let asked = Asked { service: "sagemaker", operation: "ListModels", caller: "", pages: true, way: Way::Wire };
        let struck: Vec<_> = (0..4).map(|_| faults.of_call(&asked)).collect();
        let (throttle, error) = (Some(CallFault::Throttle), Some(CallFault::InternalError));
        assert_eq!(struck, [error.clone(), throttle, error, None]);
        let counts: Vec<_> = faults.list().iter().map(|rule| (rule.id, rule.seen, rule.acted)).collect();
        assert_eq!(counts, [(1, 4, 1), (2, 4, 2), (3, 0, 0)]);

        assert!(faults.remove(second) && !faults.remove(second));
        assert_eq!(faults.list().len(), 2);
        faults.clear();
        assert_eq!(faults.add(Rule::new(CallFault::Throttle)).unwrap(), 4, "no id is used twice");
    }
}
