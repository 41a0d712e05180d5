//! Why one stack waits for another, in a sentence.

use super::lookups::lookup_shown;
use crate::model::{Edge, Reason, Tie};

impl Edge {
    /// What ties the two, and where: `imports Vpc (Api: Function.Properties.VpcConfig)`, or the team's because.
    pub fn detail(&self) -> String {
        match &self.tie {
            Tie::Manifest => "declared in the assembly's manifest".to_owned(),
            Tie::Overwrites => self.with_places(&format!("overwrites the parameter {}", self.name)),
            Tie::Reads { below, elsewhere, region } => {
                let name = &self.name;
                let region = region.as_deref().unwrap_or("its region");
                self.with_places(&match self.reason {
                    Reason::Import => format!("imports {name}"),
                    Reason::Secret => format!("reads the secret {name}"),
                    Reason::Output => format!("reads an output of {name}"),
                    Reason::Image => format!("runs an image of the repository {name}"),
                    Reason::CrossRegion => format!("reads {name} from {region}"),
                    Reason::Ssm if *below => format!("reads the parameters {name} in {region}"),
                    Reason::Ssm if *elsewhere => format!("reads the parameter {name} in {region}"),
                    Reason::Synth => format!("has {} from its synthesis", lookup_shown(name)),
                    _ => format!("reads the parameter {name}"),
                })
            }
            Tie::SynthesizedWithout => {
                format!("was synthesized without {}; no template shows what for", lookup_shown(&self.name))
            }
            Tie::AssetPlace { asset: None } => "makes the place that its assets go to".to_owned(),
            Tie::AssetPlace { asset: Some(asset) } => {
                format!("makes the place that the asset {asset} goes to")
            }
            Tie::Sequential { phase } => format!("phase `{phase}` is sequential"),
            Tie::Barrier { phase, earlier } => format!("phase `{phase}` waits for phase `{earlier}`"),
            Tie::Rollout { first } => format!("the rollout deploys {first} first, and watches its alarms"),
            Tie::Command { command } => format!("the command `{command}` runs between them"),
            Tie::Declared { because } => because.clone(),
        }
    }

    /// The first of the places that show it, and how many more there are.
    fn with_places(&self, what: &str) -> String {
        let guess = if self.guessed { ", as far as the name is known before deployment" } else { "" };
        let Some((first, more)) = self.read_at.split_first() else { return format!("{what}{guess}") };
        let more = match more.len() {
            0 => String::new(),
            1 => " and one more place".to_owned(),
            more => format!(" and {more} more places"),
        };
        format!("{what} ({}: {first}{more}){guess}", self.from)
    }
}
