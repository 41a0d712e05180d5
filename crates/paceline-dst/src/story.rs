//! What happens in a simulation.

use fastrand::Rng;
use serde::{Deserialize, Serialize};

/// A deployment, and everything that disturbs it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Story {
    /// Seeds the chances of the simulated AWS, and the pauses of the SDK.
    pub seed: u64,
    /// The stacks of the app, each after those that it needs.
    pub stacks: Vec<StackStory>,
    /// Whether stacks are deployed by change sets.
    pub change_sets: bool,
    pub weather: Weather,
    pub mishaps: Vec<Mishap>,
    /// Mishaps of calls to S3: assets, records, the lease.
    #[serde(default)]
    pub mishaps_of_s3: Vec<Mishap>,
    pub others: Vec<Other>,
    /// The process is killed, and started again, this often.
    pub kills: Vec<Kill>,
    /// Another run of the same app, on another machine.
    pub rival: Option<Rival>,
    /// The clock of the run's machine jumps.
    #[serde(default)]
    pub jump: Option<Jump>,
    /// The disk of the run's machine is full for a while.
    #[serde(default)]
    pub full_disk: Option<FullDisk>,
    /// In the end, the stacks are deleted.
    #[serde(default)]
    pub teardown: Option<Teardown>,
    /// One region is deployed first. It has no effect if no other region has stacks, or if a stack of the first region
    /// needs one of another.
    #[serde(default)]
    pub rollout: Option<Rollout>,
}

/// A stack of the app.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Whether it has a function whose code is a file asset.
    #[serde(default)]
    pub code: bool,
    /// Whether it has a nested stack, whose template is a file asset.
    #[serde(default)]
    pub nested: bool,
}

/// A stack before the run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Before {
    #[default]
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
    /// A parameter of the other stack that the synthesis looks up. The app is synthesized again when the other stack is
    /// there. Both stacks are in one region.
    Synthesis,
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

/// A mishap of some calls to a service.
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

/// A jump of the clock of the run's machine. The clock stays wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jump {
    /// Virtual seconds after the start of the run.
    pub after: u64,
    /// By so many seconds, forward or back.
    pub by: i64,
}

/// A disk that is full until the process has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FullDisk {
    /// The number of the first event of the run that does not fit.
    pub event: u32,
    /// Whether a part of the event is written.
    pub is_torn: bool,
}

/// A region that is deployed first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollout {
    /// The region, by number.
    pub first: usize,
    /// How long its alarm is watched, in seconds.
    pub bake: u64,
    /// Virtual seconds from the start of the run until the alarm goes off.
    pub alarm_after: Option<u64>,
}

/// The deletion of all stacks, with disturbances of its own. The weather is that of the run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Teardown {
    pub kills: Vec<Kill>,
    pub mishaps: Vec<Mishap>,
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
        let mut mishaps = mishaps(&mut rng, 50, calls, &MISHAPS);
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
        let mut story = Self {
            seed,
            stacks,
            change_sets: rng.bool(),
            weather: weather(&mut rng),
            mishaps,
            mishaps_of_s3: Vec::new(),
            others,
            kills,
            rival,
            jump: None,
            full_disk: None,
            teardown: None,
            rollout: None,
        };
        story.add_more(&mut rng, calls);
        story
    }

    /// Adds what stories had not from the beginning. It is drawn last, so that a seed keeps the rest of its story.
    fn add_more(&mut self, rng: &mut Rng, calls: u32) {
        for stack in &mut self.stacks {
            stack.code = rng.u8(..4) == 0;
            stack.nested = rng.u8(..6) == 0;
        }
        // S3 never answers from the past.
        self.mishaps_of_s3 = mishaps(rng, 25, calls, &MISHAPS[..MISHAPS.len() - 1]);
        self.jump = (rng.u8(..100) < 15).then(|| Jump {
            after: rng.u64(..400),
            by: *rng.choice(&[-7200, -600, -20, 20, 600, 7200]).unwrap_or(&0),
        });
        self.full_disk = (rng.u8(..100) < 15).then(|| FullDisk {
            event: rng.u32(..4 + 8 * u32::try_from(self.stacks.len()).unwrap_or(1)),
            is_torn: rng.bool(),
        });
        self.teardown = (rng.u8(..100) < 25).then(|| Teardown {
            kills: (0..some(rng, 40, 2))
                .map(|_| Kill { after: rng.u64(1..200), is_disk_lost: rng.u8(..3) == 0 })
                .collect(),
            mishaps: mishaps(rng, 50, calls, &MISHAPS),
        });
        if rng.u8(..100) < 20 {
            let needed = rng.usize(..self.stacks.len());
            let region = self.stacks[needed].region;
            let others = self.stacks.iter_mut().filter(|stack| stack.region == region);
            for need in others.flat_map(|stack| &mut stack.needs).filter(|need| need.on == needed) {
                need.kind = NeedKind::Synthesis;
            }
        }
        self.rollout = (rng.u8(..100) < 25).then(|| Rollout {
            first: rng.usize(..REGIONS),
            bake: rng.u64(60..=300),
            alarm_after: rng.bool().then(|| rng.u64(..500)),
        });
        self.rollout = self.effective_rollout().cloned();
    }

    /// The rollout, if it has an effect.
    pub(crate) fn effective_rollout(&self) -> Option<&Rollout> {
        let rollout = self.rollout.as_ref()?;
        let is_first = |stack: &StackStory| stack.region == rollout.first;
        let is_split = self.stacks.iter().any(is_first) && !self.stacks.iter().all(is_first);
        let mut needs = self.stacks.iter().filter(|stack| is_first(stack)).flat_map(|stack| &stack.needs);
        (is_split && needs.all(|need| is_first(&self.stacks[need.on]))).then_some(rollout)
    }

    /// Whether the app is synthesized again in the middle of a run.
    pub(crate) fn has_synthesis(&self) -> bool {
        let mut needs = self.stacks.iter().flat_map(|stack| &stack.needs);
        needs.any(|need| need.kind == NeedKind::Synthesis)
    }
}

/// So many things: none, or up to `most`.
fn some(rng: &mut Rng, chance: u8, most: usize) -> usize {
    if rng.u8(..100) < chance { rng.usize(1..=most) } else { 0 }
}

fn mishaps(rng: &mut Rng, chance: u8, calls: u32, kinds: &[MishapKind]) -> Vec<Mishap> {
    (0..some(rng, chance, 3))
        .map(|_| Mishap {
            call: rng.u32(1..calls),
            times: if rng.u8(..4) == 0 { rng.u32(2..12) } else { 1 },
            kind: *rng.choice(kinds).unwrap_or(&MishapKind::Reset),
        })
        .collect()
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
        code: false,
        nested: false,
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
