//! Models, renders and checks buildspecs and CodeBuild projects.
