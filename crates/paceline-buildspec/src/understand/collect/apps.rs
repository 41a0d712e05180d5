//! Finds the apps: assigns each call of the CDK CLI to an app, and names each app.

use std::collections::BTreeMap;

use paceline_text::free_name;

use super::state::Collector;
use crate::shell::programs::cdk::CdkCall;
use crate::understand::interpret::{Action, ActionKind, REGIONS, UnknownRegion, shortened};
use crate::understand::names::{joined, of_app};
use crate::understand::{App, LeftOut, Line, Setup};

/// The CDK CLI sets these variables itself, so their values do not tell where an app is deployed.
const OVERWRITTEN: [&str; 2] = ["CDK_DEFAULT_REGION", "CDK_DEFAULT_ACCOUNT"];

/// The facts that one call shows about its app.
struct AppCall<'a> {
    action: &'a Action,
    call: &'a CdkCall,
    /// The assembly that `--app` names, if it is a folder and not a program.
    existing_assembly: Option<&'a str>,
    env: BTreeMap<String, String>,
    unknown_regions: Vec<UnknownRegion>,
    context: Vec<(&'a str, &'a str)>,
}

impl<'a> Collector<'a> {
    pub(super) fn find_apps(&mut self) {
        for (at, action) in self.actions.iter().enumerate() {
            if let ActionKind::Cdk(call) = &action.kind {
                let app = self.app(action, call);
                self.app_of.insert(at, app);
            }
        }
    }

    /// The app that a call is for.
    fn app(&mut self, action: &'a Action, call: &'a CdkCall) -> usize {
        let app_call = self.app_call(action, call);
        for region in &app_call.unknown_regions {
            self.report_unknown_region(action, region);
        }
        if call.profile.is_some() {
            self.leave_out(action, "the profile: the run uses the credentials that it is started with");
        }
        if call.hotswap {
            self.leave_out(action, "`--hotswap`: a run brings every stack to its template");
        }
        let known = self.result.apps.iter().zip(&self.unknown_regions);
        let found = known.into_iter().position(|(app, regions)| app_call.is_for(app, regions));
        let at = found.unwrap_or_else(|| self.add_app(&app_call));
        let app = &mut self.result.apps[at];
        for (key, value) in app_call.context {
            let line = Line { line: action.at.line, order: action.at.order, text: value.to_owned() };
            app.context.entry(key.to_owned()).or_insert(line);
        }
        for (name, value) in app_call.env {
            app.env.entry(name).or_insert(value);
        }
        at
    }

    fn app_call(&self, action: &'a Action, call: &'a CdkCall) -> AppCall<'a> {
        let mut env = action.env.clone();
        env.retain(|name, _| !self.tested.contains(name) && !OVERWRITTEN.contains(&name.as_str()));
        let mut unknown_regions = action.unknown_regions.clone();
        if let Some(region) = &call.region {
            let name = "AWS_REGION".to_owned();
            unknown_regions.retain(|unknown| unknown.name != name);
            if region.contains('$') {
                env.remove(&name);
                unknown_regions.push(UnknownRegion { name, written: region.clone(), setting: None });
            } else {
                env.insert(name, region.clone());
            }
        }
        let context = call.context.iter().map(|pair| pair.split_once('=').unwrap_or((pair, "true")));
        AppCall {
            action,
            call,
            existing_assembly: call.app.as_deref().filter(|app| is_folder(app)),
            env,
            unknown_regions,
            context: context.collect(),
        }
    }

    fn add_app(&mut self, app_call: &AppCall<'_>) -> usize {
        let AppCall { action, call, .. } = app_call;
        let has_sibling = self.result.apps.iter().any(|app| app.dir == action.dir);
        // A second app of a folder is named after its region, or after its first context value.
        let region = REGIONS.iter().find_map(|name| app_call.env.get(*name)).cloned();
        let difference = region.or_else(|| app_call.context.first().map(|(_, value)| (*value).to_owned()));
        let base = of_app(&action.dir);
        let name = match difference.filter(|_| has_sibling) {
            Some(difference) => of_app(&format!("{base}-{}", difference.replace('/', "-"))),
            None => base,
        };
        let name = free_name(&name, &mut self.names);
        let default_assembly = if has_sibling { format!("cdk.out.{name}") } else { "cdk.out".to_owned() };
        let assembly = app_call.existing_assembly.or(call.output.as_deref());
        let is_synthesized = app_call.existing_assembly.is_none();
        let (line, order) = (action.at.line, action.at.order);
        let settings = app_call.unknown_regions.iter().filter_map(|region| {
            let text = region.setting.clone()?;
            Some(Setup { line, order, text, sets: vec![region.name.clone()] })
        });
        self.result.apps.push(App {
            file: String::new(),
            name,
            line,
            dir: action.dir.clone(),
            install: Vec::new(),
            build: Vec::new(),
            setup: settings.collect(),
            cli: call.cli.clone(),
            program: call.app.clone().filter(|_| is_synthesized),
            assembly: assembly.map_or(default_assembly, |folder| joined("", folder)),
            is_synthesized,
            context: BTreeMap::new(),
            env: BTreeMap::new(),
        });
        self.steps.push(Vec::new());
        self.unknown_regions.push(app_call.unknown_regions.clone());
        self.result.apps.len() - 1
    }

    /// Replaces a CDK CLI that the build installs for the whole machine: each app calls it with `npx`.
    pub(super) fn set_cdk_cli(&mut self) {
        let installed = self.actions.iter().find_map(|action| match &action.kind {
            ActionKind::InstallCdk(version) => Some((action, version.clone())),
            _ => None,
        });
        let cli = match &installed {
            Some((_, Some(version))) => format!("npx --yes aws-cdk@{version}"),
            _ => "npx --yes aws-cdk@2".to_owned(),
        };
        if let Some((action, version)) = installed {
            let why = match version {
                Some(_) => "`npx` fetches this version to synthesize",
                None => "it installs the newest CDK CLI of the day: pin `aws-cdk` in package.json",
            };
            self.leave_out(action, why);
        }
        for app in self.result.apps.iter_mut().filter(|app| app.cli == "cdk") {
            app.cli.clone_from(&cli);
        }
    }

    /// Reports a region that is only known in the build. The region of the build itself needs no report.
    fn report_unknown_region(&mut self, action: &Action, region: &UnknownRegion) {
        let value = region.written.trim_matches('"').trim_start_matches("${").trim_start_matches('$');
        let value = value.trim_end_matches('}');
        if value != region.name && REGIONS.contains(&value) {
            return;
        }
        let what = if region.written == format!("${}", region.name) {
            region.name.clone()
        } else {
            format!("{}={}", region.name, region.written)
        };
        let why = "the region is only known in the build: set AWS_REGION for the build, or give each region an app \
                   with `env: { AWS_REGION: … }`";
        self.result.left_out.push(LeftOut {
            line: action.at.line,
            what: shortened(&what),
            why: why.to_owned(),
            may_deploy: false,
        });
    }
}

impl AppCall<'_> {
    fn is_for(&self, app: &App, unknown_regions: &[UnknownRegion]) -> bool {
        let same_region = REGIONS.iter().all(|name| match (app.env.get(*name), self.env.get(*name)) {
            (Some(a), Some(b)) => a == b,
            _ => true,
        });
        let same_place = match self.existing_assembly {
            Some(folder) => joined(&app.dir, &app.assembly) == joined(&self.action.dir, folder),
            None => app.dir == self.action.dir && app.program == self.call.app,
        };
        let same_value =
            |(key, value): &(&str, &str)| app.context.get(*key).is_none_or(|line| line.text == *value);
        let written = |region: &UnknownRegion| (region.name.clone(), region.written.clone());
        same_place
            && same_region
            && self.context.iter().all(same_value)
            && unknown_regions.iter().map(written).eq(self.unknown_regions.iter().map(written))
    }
}

/// Whether `--app` names an assembly and not a program.
fn is_folder(app: &str) -> bool {
    !app.contains(' ') && (app.contains("cdk.out") || !app.contains('.')) && app != "-"
}
