//! The answer as JSON. `paceline schema explain` prints the JSON Schema.

use paceline_text::{document_schema, documented, json_document};
use serde_json::Value;

use super::{Explained, Found};
use crate::build::error::PlanError;
use crate::model::Plan;
use crate::show::json::{BorrowedOf, DependsOn, LeftOutOf};

/// The version of the document. New fields do not raise it.
const SCHEMA: u32 = 1;

documented! {
    /// Why a stack waits for another one, or for all that it waits for. Stacks are named by their ids. A newer version may
    /// add fields.
    struct ExplainDocument<'a> {
        /// The version of this format.
        schema: u32,
        /// The stack that was asked about.
        stack: &'a str,
        /// The other stack, if one was named.
        on: Option<&'a str>,
        /// Why one of the two is not in the plan. Then there is no answer, and the lists are empty.
        left_out: Option<LeftOutOf<'a>>,
        /// Whether the stack waits for the other one; without one, for any stack.
        waits: bool,
        /// Whether it is the other one that waits for the stack. The chain and the waits are that way round then.
        reversed: bool,
        /// The shortest chain between the two, from the one that waits. Empty if neither waits, or if only one was named.
        chain: Vec<&'a str>,
        /// How many other chains lead from the one to the other.
        other_chains: u64,
        /// The waits along the chain; of one stack alone, its own.
        waits_for: Vec<WaitOf<'a>>,
        /// Assets that it waits for, although only the asset manifest of another stack names them; of one stack alone.
        borrowed_assets: Vec<BorrowedOf<'a>>,
        /// The stacks that it waits for through others; of one stack alone.
        indirectly: Vec<&'a str>,
        /// The stacks that wait for it directly; of one stack alone.
        needed_by: Vec<&'a str>,
    }

    /// A stack that waits for another one.
    struct WaitOf<'a> {
        /// The stack that waits.
        stack: &'a str,
        /// The stack that it waits for.
        on: &'a str,
        /// Every reason.
        edges: Vec<DependsOn<'a>>,
        /// Whether only the manifest declares it, and nothing in the two templates ties them.
        declared_only: bool,
        /// What else must be true once the other stack is complete, one sentence each.
        gates: Vec<String>,
    }
}

/// The same as [`explain`](super::explain), as JSON with a line break at its end.
pub fn explain_json(plan: &Plan, from: &str, to: Option<&str>) -> Result<String, PlanError> {
    let explained = Explained::new(plan);
    let from = explained.find(from)?;
    let to = to.map(|to| explained.find(to)).transpose()?;
    let mut document = ExplainDocument {
        schema: SCHEMA,
        stack: explained.id_of(&from),
        on: to.as_ref().map(|to| explained.id_of(to)),
        left_out: None,
        waits: false,
        reversed: false,
        chain: Vec::new(),
        other_chains: 0,
        waits_for: Vec::new(),
        borrowed_assets: Vec::new(),
        indirectly: Vec::new(),
        needed_by: Vec::new(),
    };
    match (from, to) {
        (Found::LeftOut(left_out), _) | (_, Some(Found::LeftOut(left_out))) => {
            document.left_out = Some(LeftOutOf::of(left_out));
        }
        (Found::Stack(from), Some(Found::Stack(to))) => explained.add_two(&mut document, from, to),
        (Found::Stack(from), None) => explained.add_one(&mut document, from),
    }
    Ok(json_document(&document))
}

/// The JSON Schema of the document.
pub fn explain_schema() -> Value {
    document_schema::<ExplainDocument<'_>>("Why a stack of a plan of Paceline waits", SCHEMA)
}

impl<'a> Explained<'a> {
    fn id_of(&self, found: &Found<'a>) -> &'a str {
        match *found {
            Found::Stack(number) => self.id(number),
            Found::LeftOut(left_out) => &left_out.stack,
        }
    }

    fn add_two(&self, document: &mut ExplainDocument<'a>, from: usize, to: usize) {
        let chain = self.shortest(from, to);
        document.waits = chain.is_some();
        let (from, to) = if document.waits { (from, to) } else { (to, from) };
        let Some(chain) = chain.or_else(|| self.shortest(from, to)) else { return };
        document.reversed = !document.waits;
        document.other_chains = self.chains(from, to).saturating_sub(1);
        document.waits_for = chain.windows(2).map(|pair| self.wait(pair[0], pair[1])).collect();
        document.chain = chain.into_iter().map(|number| self.id(number)).collect();
    }

    fn add_one(&self, document: &mut ExplainDocument<'a>, number: usize) {
        let ids = |numbers: &[usize]| numbers.iter().map(|&number| self.id(number)).collect();
        let direct = self.graph.needs(number);
        document.waits = !direct.is_empty();
        document.waits_for = direct.iter().map(|&to| self.wait(number, to)).collect();
        document.borrowed_assets = self.borrowed(number).map(BorrowedOf::of).collect();
        document.indirectly = ids(&self.indirect(number));
        document.needed_by = ids(self.graph.needed_by(number));
    }

    fn wait(&self, from: usize, to: usize) -> WaitOf<'a> {
        WaitOf {
            stack: self.id(from),
            on: self.id(to),
            edges: self.edges_between(from, to).map(DependsOn::of).collect(),
            declared_only: self.is_declared_only(from, to),
            gates: self.gates(from, to),
        }
    }
}
