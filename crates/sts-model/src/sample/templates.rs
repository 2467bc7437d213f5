//! The events and the ways to tell them. All companies, people and places are made up.

use Slot::{Number, OneOf, Opposite};

/// A kind of event.
#[derive(Debug)]
pub(super) struct Kind {
    /// What can differ between two events, by the name in the templates.
    pub slots: &'static [(&'static str, Slot)],
    /// Ways to tell it.
    pub templates: &'static [&'static str],
}

/// What a slot may hold.
#[derive(Debug, Clone, Copy)]
pub(super) enum Slot {
    OneOf(&'static [&'static str]),
    /// A whole number, bounds included.
    Number(u64, u64),
    /// One of two opposites, each with its wordings.
    Opposite(&'static [&'static str], &'static [&'static str]),
}

const COMPANIES: Slot = OneOf(&[
    "Norvale",
    "Tessaro Foods",
    "Brightwater Energy",
    "Halden Motors",
    "Quillon",
    "Ostrava Steelworks",
    "Pinecrest Bank",
    "Lumetra",
    "Corrigan Mills",
    "Vantor Systems",
    "Ashgrove Airlines",
    "Delmora",
    "Kestrel Software",
    "Marlow Freight",
]);
const BUYERS: Slot = OneOf(&[
    "Redfern Capital",
    "Sunderby Group",
    "Orlan Holdings",
    "Castellan",
    "Bluemark Partners",
    "Tarn Industries",
]);
const PEOPLE: Slot = OneOf(&[
    "Martin Ellery",
    "Joanna Voss",
    "Peter Haldane",
    "Ruth Okonedo",
    "Carlos Bremen",
    "Anita Solberg",
    "David Tremaine",
    "Helen Marchetti",
    "Samuel Oduya",
    "Greta Lindqvist",
    "Thomas Wray",
    "Irene Castellan",
]);
const OTHERS: Slot =
    OneOf(&["Walter Prynne", "Laura Benedek", "Oscar Delacroix", "Fiona Hargrave", "Nadia Petrov", "George Amberley"]);
const TOWNS: Slot = OneOf(&[
    "Millhaven",
    "Port Sorrel",
    "Eastbridge",
    "Calder Falls",
    "Greyfield",
    "Saint Orme",
    "Linden",
    "Harrowgate",
    "Westmere",
    "Dunmore",
    "Kingsford",
    "Rosedale",
]);
const DAYS: Slot = OneOf(&["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]);
const QUARTERS: Slot = OneOf(&["first-quarter", "second-quarter", "third-quarter", "fourth-quarter"]);

/// All kinds of events.
pub(super) const KINDS: &[Kind] = &[
    Kind {
        slots: &[
            ("company", COMPANIES),
            ("quarter", QUARTERS),
            ("percent", Number(2, 38)),
            ("millions", Number(40, 900)),
            (
                "moved",
                Opposite(&["rose", "climbed", "went up", "increased"], &["fell", "dropped", "went down", "declined"]),
            ),
        ],
        templates: &[
            "{company} said {quarter} [profit|earnings] {moved} {percent} percent to ${millions} million<, helped by cost cuts>.",
            "[Profit|Net income|Earnings] at {company} {moved} {percent} percent in the {quarter} period<, reaching ${millions} million>.",
            "<On a busy day for results, >{company} [reported|announced|posted] ${millions} million in {quarter} [profit|earnings], which {moved} {percent} percent<, it said in a statement>.",
            "Shares [moved|reacted] after {company}, whose {quarter} profit {moved} {percent} percent, [published|released] its figures<, showing ${millions} million>.",
        ],
    },
    Kind {
        slots: &[
            ("buyer", BUYERS),
            ("company", COMPANIES),
            ("millions", Number(60, 990)),
            ("day", DAYS),
            ("form", Opposite(&["in cash", "paid in cash"], &["in stock", "paid in shares"])),
        ],
        templates: &[
            "{buyer} [agreed|has agreed] to [buy|acquire|purchase] {company} for ${millions} million {form}< on {day}>.",
            "{company} [will be bought|is to be acquired|will be taken over] by {buyer} in a deal [worth|valued at] ${millions} million<, {form}><, the companies said {day}>.",
            "On {day}, {buyer} [announced|unveiled] [a plan|an agreement] to [take over|acquire] {company}< for ${millions} million><, {form}>.",
            "The [purchase|acquisition|takeover] of {company} will cost {buyer} ${millions} million {form}<, executives said>.",
        ],
    },
    Kind {
        slots: &[
            ("count", Number(2, 34)),
            ("town", TOWNS),
            ("day", DAYS),
            ("vehicle", OneOf(&["bus", "train", "tram", "ferry", "coach", "truck"])),
            ("harm", Opposite(&["injured", "hurt", "wounded"], &["killed"])),
        ],
        templates: &[
            "[At least|Some] {count} people were {harm} when a {vehicle} [crashed|overturned] near {town} on {day}<, police said>.",
            "A {vehicle} [crash|accident] [outside|close to|near] {town} left {count} people {harm}< {day}><, according to officials>.",
            "<Police in {town} said >{count} [passengers|people] were {harm} {day} [as|after] a {vehicle} [left the road|went out of control|crashed].",
            "[Rescuers|Emergency crews] were called to {town} after a {vehicle} [accident|crash] in which {count} were {harm}<, a spokeswoman said {day}>.",
        ],
    },
    Kind {
        slots: &[
            ("person", PEOPLE),
            ("years", Number(2, 25)),
            ("crime", OneOf(&["fraud", "arson", "bribery", "perjury", "tax evasion", "armed robbery", "smuggling"])),
            ("town", TOWNS),
            ("day", DAYS),
        ],
        templates: &[
            "A judge in {town} sentenced {person} to {years} years in [prison|jail] for {crime}< on {day}>.",
            "{person} was [given|handed] {years} years [in prison|behind bars]< {day}> after being [convicted|found guilty] of {crime}< in {town}>.",
            "[Convicted of|Found guilty of] {crime}, {person} [will spend|must serve] {years} years [in jail|in prison]<, a {town} court ruled {day}>.",
            "The {town} court [ordered|ruled] {day} that {person} go to [prison|jail]< for {years} years> over {crime}.",
        ],
    },
    Kind {
        slots: &[
            ("company", COMPANIES),
            ("person", PEOPLE),
            ("former", OTHERS),
            (
                "role",
                OneOf(&["chief executive", "finance director", "chairman", "head of research", "general counsel"]),
            ),
            ("kept", Opposite(&["will stay as an adviser", "remains as an adviser"], &["is leaving", "will leave"])),
        ],
        templates: &[
            "{company} [named|appointed] {person} as its new {role}<, replacing {former}, who {kept}>.",
            "{person} [will become|is to be|has been made] {role} of {company}<, [taking over from|succeeding] {former}>.",
            "{former}, the {role} of {company}, {kept} and will be [replaced|succeeded] by {person}< next month>.",
            "The new {role} at {company} [is|will be] {person}<, the board said><, adding that {former} {kept}>.",
        ],
    },
    Kind {
        slots: &[
            ("town", TOWNS),
            ("ayes", Number(5, 12)),
            ("noes", Number(1, 4)),
            (
                "plan",
                OneOf(&[
                    "a new stadium",
                    "a tram line",
                    "a higher property tax",
                    "a curfew for bars",
                    "a shopping centre",
                    "a toll bridge",
                ]),
            ),
            ("decided", Opposite(&["approve", "back", "support"], &["reject", "block", "turn down"])),
            ("day", DAYS),
        ],
        templates: &[
            "The {town} council voted {ayes} to {noes} [on|late] {day} to {decided} {plan}.",
            "By a vote of {ayes} to {noes}, [councillors|members of the council] in {town} [decided|agreed] to {decided} {plan}<, officials said {day}>.",
            "{town} [decided|chose] {day} to {decided} {plan}<, by {ayes} votes to {noes}>.",
            "[Plans for|The debate over] {plan} ended {day} when the council of {town} voted to {decided} it<, {ayes#}-{noes#}>.",
        ],
    },
    Kind {
        slots: &[
            ("food", OneOf(&["coffee", "green tea", "red meat", "olive oil", "chocolate", "oily fish", "dark bread"])),
            ("illness", OneOf(&["heart disease", "diabetes", "stroke", "dementia", "asthma", "kidney stones"])),
            ("percent", Number(8, 45)),
            ("people", Number(1200, 9800)),
            ("effect", Opposite(&["lowers", "reduces", "cuts"], &["raises", "increases"])),
            ("town", TOWNS),
        ],
        templates: &[
            "[Researchers|Scientists] at the University of {town} found that {food} {effect} the risk of {illness} by {percent} percent<, in a study of {people} people>.",
            "A daily portion of {food} {effect} the [risk|chance] of {illness}< by {percent} percent>, [according to|says] a study of {people} [people|adults]< from {town}>.",
            "<After following {people} adults for years, >[doctors|a team] in {town} [report|conclude] that {food} {effect} the [chance|danger] of [getting|developing] {illness}<, by {percent} percent>.",
            "{illness} and {food} are linked, a study [shows|suggests]: it {effect} the risk by {percent} percent<, among {people} [volunteers|people]>.",
        ],
    },
    Kind {
        slots: &[
            ("company", COMPANIES),
            ("count", Number(120, 4800)),
            ("town", TOWNS),
            ("day", DAYS),
            ("done", Opposite(&["cut", "eliminate", "shed"], &["create", "add"])),
        ],
        templates: &[
            "{company} [said|announced] {day} it will {done} {count} jobs at its [plant|factory] in {town}.",
            "[About|Some] {count} jobs in {town} are affected as {company} plans to {done} [them|positions]<, it said {day}>.",
            "In {town}, {company} [intends|plans] to {done} {count} [positions|jobs]<, according to a statement {day}>.",
            "{company}, [which employs many in|a large employer in] {town}, is to {done} [as many as|up to] {count} jobs< from next year>.",
        ],
    },
    Kind {
        slots: &[
            ("team", OneOf(&["the Rovers", "the Falcons", "the Harriers", "the Wolves", "the Mariners", "the Comets"])),
            ("rival", OneOf(&["the Saints", "the Rangers", "the Pilots", "the Royals", "the Giants"])),
            ("goals", Number(3, 7)),
            ("against", Number(0, 2)),
            ("result", Opposite(&["beat", "defeated", "overcame"], &["lost to", "were beaten by"])),
            ("day", DAYS),
        ],
        templates: &[
            "On {day} {team} {result} {rival} {goals#}-{against#}< before a large crowd>.",
            "In [the cup|a league match], {team} {result} {rival}< by {goals} goals to {against}>< on {day}>.",
            "It was {goals#}-{against#} {day} when {team} {result} {rival}<, their [third|second] match this month>.",
            "[Fans|Supporters] [saw|watched] how {team} {result} {rival}<, {goals#}-{against#},> {day}.",
        ],
    },
    Kind {
        slots: &[
            ("person", PEOPLE),
            ("office", OneOf(&["mayor", "governor", "senator", "minister of health", "police chief"])),
            ("town", TOWNS),
            (
                "claim",
                OneOf(&[
                    "taking gifts from builders",
                    "misusing public money",
                    "hiring relatives",
                    "hiding a report",
                    "threatening a witness",
                ]),
            ),
            ("answer", Opposite(&["denied", "rejected", "disputed"], &["admitted", "acknowledged", "did not deny"])),
            ("day", DAYS),
        ],
        templates: &[
            "{person}, the {office} of {town}, {answer} {claim}< on {day}>.",
            "[Asked by reporters|At a news conference] {day}, {town} {office} {person} {answer} {claim}.",
            "The {office} of {town} {answer} {claim}<, [a lawyer for|a spokesman for] {person} said {day}>.",
            "[Accusations of|Allegations of] {claim} were {answer} [by|in a letter from] {person}<, {office} of {town},> {day}.",
        ],
    },
];
