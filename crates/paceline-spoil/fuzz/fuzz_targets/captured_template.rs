#![no_main]

paceline_fuzz::target!("captured template");
