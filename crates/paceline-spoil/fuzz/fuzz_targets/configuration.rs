#![no_main]

paceline_fuzz::target!("configuration");
