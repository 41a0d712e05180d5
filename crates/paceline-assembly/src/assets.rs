//! Asset manifests: the files and images that must be published before a stack can be deployed.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use crate::bootstrap::{Bootstrap, Role};
use crate::error::AssemblyError;
use crate::shape::Shape;

/// The assets of a stack, from every asset manifest that the stack depends on.
#[derive(Debug, Clone, Default)]
pub struct AssetManifest {
    /// The folder of the manifest, in which the executables of images run.
    pub dir: Utf8PathBuf,
    /// The files by asset id.
    pub files: BTreeMap<String, FileAsset>,
    /// The images by asset id.
    pub images: BTreeMap<String, ImageAsset>,
    /// The sorted ids of the stacks that must be deployed before these assets are published, such as a stack
    /// that creates a staging bucket.
    pub depends_on: Vec<String>,
    /// The bootstrap stack that publishing requires.
    pub bootstrap: Option<Bootstrap>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct FileAsset {
    pub display_name: Option<String>,
    pub source: FileSource,
    /// The destinations by destination id.
    pub destinations: BTreeMap<String, FileDestination>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileSource {
    Path {
        /// The path, joined to the manifest's folder.
        path: Utf8PathBuf,
        packaging: Packaging,
    },
    /// A command that prints the path of a zip file.
    Executable(Vec<String>),
}

impl FileSource {
    /// Whether the file or folder exists on this machine. The output of a command is assumed to exist.
    pub fn is_there(&self) -> bool {
        match self {
            Self::Path { path, .. } => path.exists(),
            Self::Executable(_) => true,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Packaging {
    /// A file, uploaded as it is.
    File,
    /// A folder, uploaded as a zip file.
    Zip,
}

#[derive(Debug, Clone, PartialEq)]
pub struct FileDestination {
    pub bucket: String,
    pub key: String,
    /// The region. `None` means the stack's region.
    pub region: Option<String>,
    pub role: Option<Role>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ImageAsset {
    pub display_name: Option<String>,
    pub source: ImageSource,
    /// The destinations by destination id.
    pub destinations: BTreeMap<String, ImageDestination>,
}

/// The way to build an image: a `directory` with a Dockerfile, or an `executable` that prints the image's
/// name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageSource {
    /// The directory, joined to the manifest's folder.
    pub directory: Option<Utf8PathBuf>,
    pub executable: Option<Vec<String>>,
    pub docker_file: Option<String>,
    pub build_target: Option<String>,
    pub build_args: BTreeMap<String, String>,
    pub build_contexts: BTreeMap<String, String>,
    pub build_secrets: BTreeMap<String, String>,
    pub build_ssh: Option<String>,
    pub network_mode: Option<String>,
    pub platform: Option<String>,
    pub outputs: Vec<String>,
    pub cache_from: Vec<Cache>,
    pub cache_to: Option<Cache>,
    pub cache_disabled: bool,
}

/// A cache of Docker layers, in the form of an option of `docker build`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cache {
    pub kind: String,
    pub params: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ImageDestination {
    pub repository: String,
    pub tag: String,
    /// The region. `None` means the stack's region.
    pub region: Option<String>,
    pub role: Option<Role>,
}

impl AssetManifest {
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.images.is_empty()
    }

    /// Reads an asset manifest. `resolve` joins a path to the manifest's folder.
    pub(crate) fn from_shape(
        manifest: &Shape<'_>,
        dir: &Utf8Path,
        resolve: &dyn Fn(&str) -> Utf8PathBuf,
    ) -> Result<Self, AssemblyError> {
        let mut assets = AssetManifest { dir: dir.to_owned(), ..AssetManifest::default() };
        if let Some(files) = manifest.get("files")? {
            for (id, file) in files.entries()? {
                assets.files.insert(id.to_owned(), file_asset(&file, resolve)?);
            }
        }
        if let Some(images) = manifest.get("dockerImages")? {
            for (id, image) in images.entries()? {
                assets.images.insert(id.to_owned(), image_asset(&image, resolve)?);
            }
        }
        Ok(assets)
    }

    /// Adds the assets of another manifest of the same stack.
    pub(crate) fn merge(&mut self, other: &AssetManifest) {
        if self.is_empty() {
            self.dir.clone_from(&other.dir);
        }
        for (id, file) in &other.files {
            let destinations = &file.destinations;
            let known = self.files.entry(id.clone()).or_insert_with(|| file.clone());
            known.destinations.extend(destinations.iter().map(|(id, to)| (id.clone(), to.clone())));
        }
        for (id, image) in &other.images {
            let destinations = &image.destinations;
            let known = self.images.entry(id.clone()).or_insert_with(|| image.clone());
            known.destinations.extend(destinations.iter().map(|(id, to)| (id.clone(), to.clone())));
        }
        let newer = |bootstrap: &Bootstrap| bootstrap.required_version;
        if other.bootstrap.as_ref().map(newer) > self.bootstrap.as_ref().map(newer) {
            self.bootstrap.clone_from(&other.bootstrap);
        }
    }
}

fn file_asset(asset: &Shape<'_>, resolve: &dyn Fn(&str) -> Utf8PathBuf) -> Result<FileAsset, AssemblyError> {
    let source = asset.require("source")?;
    let from = if let Some(command) = source.strings("executable")? {
        FileSource::Executable(command)
    } else if let Some(path) = source.string("path")? {
        let packaging = match source.get("packaging")? {
            None => Packaging::File,
            Some(packaging) => match packaging.text()? {
                "file" => Packaging::File,
                "zip" => Packaging::Zip,
                other => return Err(packaging.error(format!("`{other}` is neither `file` nor `zip`"))),
            },
        };
        FileSource::Path { path: resolve(&path), packaging }
    } else {
        return Err(source.error("neither `path` nor `executable` is there"));
    };
    let mut destinations = BTreeMap::new();
    for (id, to) in asset.require("destinations")?.entries()? {
        let destination = FileDestination {
            bucket: to.required_string("bucketName")?,
            key: to.required_string("objectKey")?,
            region: to.string("region")?,
            role: destination_role(&to)?,
        };
        destinations.insert(id.to_owned(), destination);
    }
    Ok(FileAsset { display_name: asset.string("displayName")?, source: from, destinations })
}

fn image_asset(
    asset: &Shape<'_>,
    resolve: &dyn Fn(&str) -> Utf8PathBuf,
) -> Result<ImageAsset, AssemblyError> {
    let source = asset.require("source")?;
    let from = ImageSource {
        directory: source.string("directory")?.map(|path| resolve(&path)),
        executable: source.strings("executable")?,
        docker_file: source.string("dockerFile")?,
        build_target: source.string("dockerBuildTarget")?,
        build_args: source.string_map("dockerBuildArgs")?.unwrap_or_default(),
        build_contexts: source.string_map("dockerBuildContexts")?.unwrap_or_default(),
        build_secrets: source.string_map("dockerBuildSecrets")?.unwrap_or_default(),
        build_ssh: source.string("dockerBuildSsh")?,
        network_mode: source.string("networkMode")?,
        platform: source.string("platform")?,
        outputs: source.strings("dockerOutputs")?.unwrap_or_default(),
        cache_from: match source.get("cacheFrom")? {
            Some(list) => list.items()?.map(|item| cache(&item)).collect::<Result<_, _>>()?,
            None => Vec::new(),
        },
        cache_to: source.get("cacheTo")?.map(|to| cache(&to)).transpose()?,
        cache_disabled: source.boolean("cacheDisabled")?.unwrap_or_default(),
    };
    if from.directory.is_none() && from.executable.is_none() {
        return Err(source.error("neither `directory` nor `executable` is there"));
    }
    let mut destinations = BTreeMap::new();
    for (id, to) in asset.require("destinations")?.entries()? {
        let destination = ImageDestination {
            repository: to.required_string("repositoryName")?,
            tag: to.required_string("imageTag")?,
            region: to.string("region")?,
            role: destination_role(&to)?,
        };
        destinations.insert(id.to_owned(), destination);
    }
    Ok(ImageAsset { display_name: asset.string("displayName")?, source: from, destinations })
}

fn cache(shape: &Shape<'_>) -> Result<Cache, AssemblyError> {
    Ok(Cache {
        kind: shape.required_string("type")?,
        params: shape.string_map("params")?.unwrap_or_default(),
    })
}

fn destination_role(to: &Shape<'_>) -> Result<Option<Role>, AssemblyError> {
    role(to, "assumeRoleArn", None)
}

/// Reads a role from the fields of `shape`, with the ARN under `arn_key`.
pub(crate) fn role(
    shape: &Shape<'_>,
    arn_key: &str,
    bootstrap: Option<Bootstrap>,
) -> Result<Option<Role>, AssemblyError> {
    let Some(arn) = shape.string(arn_key)? else { return Ok(None) };
    let session_options = match shape.get("assumeRoleAdditionalOptions")? {
        Some(options) => options.entries()?.map(|(key, it)| (key.to_owned(), it.value.clone())).collect(),
        None => BTreeMap::new(),
    };
    Ok(Some(Role { arn, external_id: shape.string("assumeRoleExternalId")?, session_options, bootstrap }))
}

/// Reads the bootstrap stack that `shape` requires.
pub(crate) fn bootstrap(shape: &Shape<'_>) -> Result<Option<Bootstrap>, AssemblyError> {
    let ssm_parameter = shape.string("bootstrapStackVersionSsmParameter")?;
    let version = shape.number("requiresBootstrapStackVersion")?;
    Ok(version.map(|required_version| Bootstrap { required_version, ssm_parameter }))
}
