//! What happens in a simulation.

use fastrand::Rng;
use serde::{Deserialize, Serialize};

/// A deployment, and everything that disturbs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Story {
    /// Seeds the chances of the simulated AWS, and the pauses of the SDK.
    pub seed: u64,
    /// The stacks of the app, each after those that it needs.
    pub stacks: Vec<StackStory>,
    /// Whether stacks are deployed by change sets.
    pub change_sets: bool,
    pub weather: Weather,
    pub mishaps: Vec<Mishap>,
    pub others: Vec<Other>,
    /// The process is killed, and started again, this often.
    pub kills: Vec<Kill>,
    /// Another run of the same app, on another machine.
    pub rival: Option<Rival>,
}

/// A stack of the app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackStory {
    /// Its region, by number.
    pub region: usize,
    pub needs: Vec<Need>,
    /// How long its slow resource takes, in seconds.
    pub seconds: u64,
    /// Whether it has a role, and a function that uses the role at once.
    pub role: bool,
    pub before: Before,
    /// How often its slow resource fails.
    pub fails: u32,
}

/// A stack before the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Before {
    Absent,
    /// An earlier version is deployed.
    Deployed,
    /// Its creation was rolled back.
    RolledBack,
}

/// A stack that another one needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Need {
    /// The stack, by its place in the app.
    pub on: usize,
    pub kind: NeedKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NeedKind {
    /// A dependency that the manifest names.
    Manifest,
    /// An import of an export. Both stacks are in one region.
    Export,
}

/// How AWS behaves all the time. Chances are in percent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Weather {
    pub throttled: u8,
    pub lost_replies: u8,
    pub server_errors: u8,
    /// Reads may be this old, in seconds.
    pub stale: u64,
    /// Whether roles fail their users until they are known everywhere.
    pub roles_fail: bool,
}

/// A mishap of some calls to CloudFormation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mishap {
    /// The number of the first call.
    pub call: u32,
    /// How many calls.
    pub times: u32,
    pub kind: MishapKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MishapKind {
    NeverAnswered,
    NeverArrived,
    Reset,
    WebPage,
    HalfAnAnswer,
    BadGateway,
    Throttled,
    Expired,
    FromThePast,
}

/// What somebody else does to a stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Other {
    /// The number of the call to CloudFormation before which it is done.
    pub call: u32,
    /// The stack, by its place in the app.
    pub stack: usize,
    pub act: Act,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    Create,
    Update,
    Delete,
    /// Deletes the stack, and creates another one with its name.
    Replace,
    Cancel,
    RollBack,
    ContinueRollback,
}

/// The end of a process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kill {
    /// Virtual seconds after its start.
    pub after: u64,
    /// Whether the next process is on another machine, without the journal.
    pub is_disk_lost: bool,
}

/// Another run of the same app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rival {
    /// Virtual seconds after the start of the first run.
    pub after: u64,
    /// Whether it deploys another version of the app.
    pub is_other_version: bool,
}

const REGIONS: usize = 2;
const MISHAPS: [MishapKind; 9] = [
    MishapKind::NeverAnswered,
    MishapKind::NeverArrived,
    MishapKind::Reset,
    MishapKind::WebPage,
    MishapKind::HalfAnAnswer,
    MishapKind::BadGateway,
    MishapKind::Throttled,
    MishapKind::Expired,
    MishapKind::FromThePast,
];
const ACTS: [Act; 7] =
    [Act::Create, Act::Update, Act::Delete, Act::Replace, Act::Cancel, Act::RollBack, Act::ContinueRollback];

impl Story {
    /// The story of a seed.
    pub fn of(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let count = rng.usize(1..=7);
        let mut stacks: Vec<StackStory> = Vec::new();
        for place in 0..count {
            stacks.push(stack(&mut rng, place, &stacks));
        }
        let calls = 10 + 25 * u32::try_from(count).unwrap_or(u32::MAX);
        let some = |rng: &mut Rng, chance: u8, most: usize| {
            if rng.u8(..100) < chance { rng.usize(1..=most) } else { 0 }
        };
        let mut mishaps: Vec<Mishap> = (0..some(&mut rng, 50, 3))
            .map(|_| Mishap {
                call: rng.u32(1..calls),
                times: if rng.u8(..4) == 0 { rng.u32(2..12) } else { 1 },
                kind: *rng.choice(&MISHAPS).unwrap_or(&MishapKind::Reset),
            })
            .collect();
        let mut others: Vec<Other> = (0..some(&mut rng, 35, 3))
            .map(|_| Other {
                call: rng.u32(1..calls),
                stack: rng.usize(..count),
                act: *rng.choice(&ACTS).unwrap_or(&Act::Update),
            })
            .collect();
        // People repair a stack whose creation was rolled back.
        for (stack, _) in stacks.iter().enumerate().filter(|(_, stack)| stack.before == Before::RolledBack) {
            if rng.bool() {
                let call = rng.u32(1..20);
                others.push(Other { call, stack, act: Act::Replace });
                // They are done before a call of the run that is delayed gets through.
                if rng.bool() {
                    mishaps.push(Mishap { call, times: rng.u32(4..12), kind: MishapKind::Throttled });
                }
            }
        }
        let kills = (0..some(&mut rng, 40, 3))
            .map(|_| Kill { after: rng.u64(1..400), is_disk_lost: rng.u8(..3) == 0 })
            .collect();
        let rival =
            (rng.u8(..100) < 20).then(|| Rival { after: rng.u64(..300), is_other_version: rng.bool() });
        Self {
            seed,
            stacks,
            change_sets: rng.bool(),
            weather: weather(&mut rng),
            mishaps,
            others,
            kills,
            rival,
        }
    }
}

fn stack(rng: &mut Rng, place: usize, before: &[StackStory]) -> StackStory {
    let region = rng.usize(..REGIONS);
    let mut needs: Vec<Need> = Vec::new();
    for (on, needed) in before.iter().enumerate() {
        if rng.usize(..place.max(2)) == 0 {
            let can_import = needed.region == region;
            let kind = if can_import && rng.bool() { NeedKind::Export } else { NeedKind::Manifest };
            needs.push(Need { on, kind });
        }
    }
    let can_be_there = needs.iter().all(|need| before[need.on].before == Before::Deployed);
    StackStory {
        region,
        needs,
        seconds: rng.u64(1..=120),
        role: rng.u8(..4) == 0,
        before: match rng.u8(..8) {
            0 if can_be_there => Before::RolledBack,
            1..5 if can_be_there => Before::Deployed,
            _ => Before::Absent,
        },
        fails: if rng.u8(..6) == 0 { rng.u32(1..3) } else { 0 },
    }
}

fn weather(rng: &mut Rng) -> Weather {
    let mut chance = |most: u8| if rng.u8(..3) == 0 { rng.u8(1..=most) } else { 0 };
    Weather {
        throttled: chance(25),
        lost_replies: chance(10),
        server_errors: chance(10),
        stale: u64::from(chance(20)),
        roles_fail: chance(1) == 1,
    }
}
