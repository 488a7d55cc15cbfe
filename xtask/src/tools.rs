//! Set-up from the package registries: Debian packages, npm packages, Python packages, cargo tools.

use crate::shell::{answers, cache, cargo, program, root, step};
use anyhow::{Context, Result, bail};
use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

/// Installs the Debian packages of which a file is missing.
pub fn debian(needed: &[(&str, &str)]) -> Result<()> {
    let missing: Vec<&str> = needed
        .iter()
        .filter(|(_, file)| !std::path::Path::new(file).exists())
        .map(|(package, _)| *package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !answers("apt-get") {
        bail!("please install these Debian packages and run again: {}", missing.join(" "));
    }
    step(
        "reading Debian's package lists",
        program("apt-get", &["update", "-qq"]).env("DEBIAN_FRONTEND", "noninteractive"),
    )?;
    let mut arguments = vec!["install", "-y", "-qq", "--no-install-recommends"];
    arguments.extend(&missing);
    step(
        &format!("installing {} from Debian's packages", missing.join(", ")),
        program("apt-get", &arguments).env("DEBIAN_FRONTEND", "noninteractive"),
    )
}

/// Builds the style sheets and scripts that the binary embeds; nothing to do when they are newer than their sources.
pub fn web_assets() -> Result<()> {
    let web = root().join("web");
    if !answers("npm") {
        bail!("Node.js with npm is needed to build the style sheets: install Node 20 or later and run again");
    }
    let lock = fs::read(web.join("package-lock.json")).context("web/package-lock.json is missing")?;
    let stamp = web.join("node_modules/.installed");
    if fs::read(&stamp).ok().as_deref() != Some(&lock[..]) {
        step(
            "installing the style sheets' packages (npm ci)",
            program("npm", &["ci", "--no-audit", "--no-fund", "--silent"]).current_dir(&web),
        )?;
        fs::write(&stamp, &lock)?;
    }
    step("building style sheets and scripts", program("npm", &["run", "--silent", "build"]).current_dir(&web))
}

/// A Python virtual environment with these packages; its interpreter.
pub fn python(name: &str, packages: &[&str]) -> Result<PathBuf> {
    let home = cache().join("python").join(name);
    let interpreter = home.join("bin/python");
    let stamp = home.join("installed");
    let wanted = packages.join("\n");
    if fs::read_to_string(&stamp).ok().as_deref() != Some(wanted.as_str()) {
        step("making a Python environment", program("python3", &["-m", "venv"]).arg(&home))?;
        let mut arguments = vec!["-m", "pip", "install", "-q", "--disable-pip-version-check"];
        arguments.extend(packages);
        step(
            &format!("installing {} from PyPI", packages.join(", ")),
            &mut program(&interpreter, &arguments),
        )?;
        fs::write(&stamp, wanted)?;
    }
    Ok(interpreter)
}

/// The solver cvc5: the one that CVC5 names, or else a launcher of the Python package, for Debian's is too old.
pub fn cvc5() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("CVC5").filter(|path| !path.is_empty()) {
        return Ok(named.into());
    }
    let interpreter = python("solver", &["cvc5==1.4.2"])?;
    let launcher = interpreter.with_file_name("cvc5");
    let script = root().join("crates/cogov-rulebook/tests/cvc5_shim.py");
    fs::write(
        &launcher,
        format!("#!/bin/sh\nexec '{}' '{}' \"$@\"\n", interpreter.display(), script.display()),
    )?;
    fs::set_permissions(&launcher, fs::Permissions::from_mode(0o755))?;
    Ok(launcher)
}

/// A cargo tool of a fixed version, built once into the cache; the path of its program.
pub fn cargo_tool(name: &str, version: &str) -> Result<PathBuf> {
    let home = cache().join("tools").join(format!("{name}-{version}"));
    let path = home.join("bin").join(name);
    if !path.exists() {
        let root = home.to_string_lossy().into_owned();
        step(
            &format!("building {name} {version} (once for this machine)"),
            cargo(&[
                "install",
                "--quiet",
                "--locked",
                "--debug",
                name,
                "--version",
                version,
                "--root",
                &root,
            ])
            .env("CARGO_TARGET_DIR", cache().join("tools/target")),
        )?;
    }
    Ok(path)
}
