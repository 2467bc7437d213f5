//! Compares two JSON values, member by member and item by item.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::Recorder;
use crate::pointer::Place;

/// Records what differs between the two.
pub(super) fn compare(old: &Value, new: &Value, recorder: &mut Recorder<'_>) {
    values((old, Place::ROOT), (new, Place::ROOT), recorder);
}

type Side<'a, 'p> = (&'a Value, Place<'p>);

fn values((old, at): Side<'_, '_>, (new, here): Side<'_, '_>, recorder: &mut Recorder<'_>) {
    match (old, new) {
        _ if old == new => {}
        // An object of another single member is another expression, not one with a member more and one less.
        (Value::Object(a), Value::Object(b)) if !(a.len() == 1 && b.len() == 1 && a.keys().ne(b.keys())) => {
            for (name, value) in b {
                let here = here.member(name);
                match a.get(name) {
                    Some(before) => values((before, at.member(name)), (value, here), recorder),
                    None => recorder.record(None, Some((value, here))),
                }
            }
            for (name, value) in a.iter().filter(|(name, _)| !b.contains_key(*name)) {
                recorder.record(Some((value, at.member(name))), None);
            }
        }
        (Value::Array(a), Value::Array(b)) => lists((a, old, at), (b, new, here), recorder),
        _ => recorder.record(Some((old, at)), Some((new, here))),
    }
}

type List<'a, 'p> = (&'a [Value], &'a Value, Place<'p>);

fn lists((a, old, at): List<'_, '_>, (b, new, here): List<'_, '_>, recorder: &mut Recorder<'_>) {
    if let Some((a_names, b_names)) = names(a).zip(names(b)) {
        let before: HashMap<&str, usize> = a_names.iter().enumerate().map(|(i, name)| (*name, i)).collect();
        for (i, name) in b_names.iter().enumerate() {
            match before.get(name) {
                Some(&j) => values((&a[j], at.item(j)), (&b[i], here.item(i)), recorder),
                None => recorder.record(None, Some((&b[i], here.item(i)))),
            }
        }
        let after: HashSet<&str> = b_names.into_iter().collect();
        for (j, _) in a_names.iter().enumerate().filter(|(_, name)| !after.contains(*name)) {
            recorder.record(Some((&a[j], at.item(j))), None);
        }
    } else if here.ends_with("DependsOn") && same_set(a, b) {
        // The order says nothing.
    } else if a.len() == b.len() {
        for (i, (before, after)) in a.iter().zip(b).enumerate() {
            values((before, at.item(i)), (after, here.item(i)), recorder);
        }
    } else {
        recorder.record(Some((old, at)), Some((new, here)));
    }
}

/// The members by which SageMaker's lists tell their items apart; their order says nothing.
const NAMING: [&str; 8] =
    ["OutputName", "InputName", "ChannelName", "PropertyFileName", "Name", "Key", "ParameterName", "VariantName"];

/// The names of the items, if all have one and no two the same.
fn names(items: &[Value]) -> Option<Vec<&str>> {
    let first = items.first()?.as_object()?;
    let member = NAMING.into_iter().find(|member| first.get(*member).is_some_and(Value::is_string))?;
    let names: Vec<&str> = items.iter().map(|item| item.get(member)?.as_str()).collect::<Option<_>>()?;
    let different: HashSet<&str> = names.iter().copied().collect();
    (different.len() == names.len()).then_some(names)
}

fn same_set(a: &[Value], b: &[Value]) -> bool {
    let set = |items: &[Value]| items.iter().map(Value::to_string).collect::<HashSet<_>>();
    set(a) == set(b)
}
