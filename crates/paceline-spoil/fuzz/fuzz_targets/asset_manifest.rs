#![no_main]

paceline_fuzz::target!("asset manifest");
