//! What a rig is made of, kept between runs: a kernel, an initramfs, a Python environment.
//!
//! Everything lies in `bluez-rig` in cargo's target folder. A stamp holds the recipe each part was
//! made by; a part whose recipe changed is made again. It downloads only through `apt-get` and `pip`.

use crate::{RigError, io};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The sensors' Bluetooth stack, at the version whose flaws `sensors.py` mends.
const BUMBLE: &str = "bumble==0.0.236";
const INITRAMFS: &str = include_str!("../guest/initramfs.sh");
const INIT: &str = include_str!("../guest/init");
const STAGE: &str = include_str!("../peripherals/stage.py");
const SENSORS: &str = include_str!("../peripherals/sensors.py");
/// The parts of a kernel package that the guest can use.
const KERNEL_PARTS: [&str; 11] = [
    "./boot/vmlinuz*",
    "./lib/modules/*/modules.*",
    "./lib/modules/*/kernel/arch/x86/crypto/*",
    "./lib/modules/*/kernel/crypto/*",
    "./lib/modules/*/kernel/lib/*",
    "./lib/modules/*/kernel/net/*",
    "./lib/modules/*/kernel/drivers/bluetooth/*",
    "./lib/modules/*/kernel/drivers/char/*",
    "./lib/modules/*/kernel/drivers/hid/*",
    "./lib/modules/*/kernel/drivers/net/*",
    "./lib/modules/*/kernel/drivers/virtio/*",
];

/// The folder with everything in it.
#[derive(Debug)]
pub(crate) struct Stock {
    folder: PathBuf,
    kernel: PathBuf,
}

impl Stock {
    /// Makes what is missing. Two programs that do so at once wait for each other.
    pub(crate) fn prepare() -> Result<Stock, RigError> {
        if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
            let found = format!("{} on {}", std::env::consts::OS, std::env::consts::ARCH);
            return Err(RigError::Unsuited(format!(
                "it needs Debian on x86-64, this is {found}"
            )));
        }
        let folder = target_folder()?.join("bluez-rig");
        std::fs::create_dir_all(&folder).map_err(io(folder.display().to_string()))?;
        let lock = std::fs::File::create(folder.join("lock")).map_err(io("the lock"))?;
        lock.lock().map_err(io("the lock"))?;
        for (name, text) in [
            ("initramfs.sh", INITRAMFS),
            ("init", INIT),
            ("stage.py", STAGE),
            ("sensors.py", SENSORS),
        ] {
            std::fs::write(folder.join(name), text).map_err(io(name))?;
        }
        let stock = Stock {
            kernel: folder.join("kernel"),
            folder,
        };
        stock.prepare_kernel()?;
        stock.prepare_initramfs()?;
        stock.prepare_python()?;
        Ok(stock)
    }

    /// The interpreter that has bumble.
    pub(crate) fn python(&self) -> PathBuf {
        self.folder.join("python/bin/python")
    }

    /// The script that runs guest and sensors.
    pub(crate) fn stage(&self) -> PathBuf {
        self.folder.join("stage.py")
    }

    /// The command line of the guest: no disk, no way out, its bus forwarded from `port`. Plain
    /// emulation, since nested virtualization is rarely there.
    pub(crate) fn guest(&self, controller: &Path, port: u16, user: &str) -> Vec<String> {
        let release = self.release().unwrap_or_default();
        let kernel = self.kernel.join(format!("boot/vmlinuz-{release}"));
        let network = format!("user,id=n,restrict=on,hostfwd=tcp:127.0.0.1:{port}-:7000");
        let hci = format!("socket,id=hci,path={},reconnect=1", controller.display());
        let boot =
            format!("console=ttyS0 quiet panic=-1 mitigations=off nokaslr fogward.user={user}");
        let kernel = kernel.display().to_string();
        let initramfs = self.folder.join("initramfs.gz").display().to_string();
        [
            "qemu-system-x86_64",
            "-accel",
            "tcg,thread=multi",
            "-cpu",
            "qemu64",
            "-M",
            "q35",
            "-m",
            "256",
            "-display",
            "none",
            "-monitor",
            "none",
            "-serial",
            "stdio",
            "-no-reboot",
            "-kernel",
            &kernel,
            "-initrd",
            &initramfs,
            "-append",
            &boot,
            "-device",
            "virtio-rng-pci",
            "-netdev",
            &network,
            "-device",
            "virtio-net-pci,netdev=n,romfile=",
            "-device",
            "virtio-serial-pci",
            "-chardev",
            &hci,
            "-device",
            "virtconsole,chardev=hci",
        ]
        .map(str::to_owned)
        .to_vec()
    }

    fn prepare_kernel(&self) -> Result<(), RigError> {
        let recipe = KERNEL_PARTS.join("\n");
        if self.is_made("kernel", &recipe) {
            return Ok(());
        }
        let _ = std::fs::remove_dir_all(&self.kernel);
        std::fs::create_dir_all(&self.kernel).map_err(io("the kernel's folder"))?;
        let download = self.folder.join("download");
        if download_kernel(&download).is_err() {
            // What apt knows may be nothing yet, or older than what the archive offers.
            run(Command::new("apt-get").args(["--quiet", "update"]))?;
            download_kernel(&download)?;
        }
        let unpack =
            "dpkg-deb --fsys-tarfile ./*.deb | tar --extract --directory \"$0\" --wildcards \"$@\"";
        run(Command::new("sh")
            .args(["-ec", unpack])
            .arg(&self.kernel)
            .args(KERNEL_PARTS)
            .current_dir(&download))?;
        let _ = std::fs::remove_dir_all(&download);
        run(system_path(Command::new("depmod"))
            .arg("--basedir")
            .arg(&self.kernel)
            .arg(self.release()?))?;
        self.note("kernel", &recipe)
    }

    fn prepare_initramfs(&self) -> Result<(), RigError> {
        let packages = run(Command::new("dpkg-query").args([
            "--show",
            "bluez",
            "busybox-static",
            "dbus",
            "libc6",
            "socat",
        ]))?;
        let recipe = format!("{}\n{packages}\n{INITRAMFS}\n{INIT}", self.release()?);
        if self.is_made("initramfs", &recipe) {
            return Ok(());
        }
        run(Command::new("bash")
            .arg(self.folder.join("initramfs.sh"))
            .arg(&self.kernel)
            .arg(self.folder.join("init"))
            .arg(self.folder.join("initramfs.gz")))?;
        self.note("initramfs", &recipe)
    }

    fn prepare_python(&self) -> Result<(), RigError> {
        if self.is_made("python", BUMBLE) {
            return Ok(());
        }
        let folder = self.folder.join("python");
        run(Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&folder))?;
        run(Command::new(self.python()).args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            BUMBLE,
        ]))?;
        self.note("python", BUMBLE)
    }

    /// The kernel's version, the name of its only folder of modules.
    fn release(&self) -> Result<String, RigError> {
        let modules = self.kernel.join("lib/modules");
        let mut entries = std::fs::read_dir(&modules).map_err(io(modules.display().to_string()))?;
        let first = entries.find_map(Result::ok);
        first
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .ok_or_else(|| RigError::Unsuited("the kernel package holds no modules".to_owned()))
    }

    fn is_made(&self, part: &str, recipe: &str) -> bool {
        std::fs::read_to_string(self.folder.join(format!("{part}.recipe")))
            .is_ok_and(|kept| kept == recipe)
    }

    fn note(&self, part: &str, recipe: &str) -> Result<(), RigError> {
        let path = self.folder.join(format!("{part}.recipe"));
        std::fs::write(&path, recipe).map_err(io(path.display().to_string()))
    }
}

/// Fetches the package of the distribution's current kernel. The flavour for clouds has no Bluetooth.
fn download_kernel(folder: &Path) -> Result<(), RigError> {
    let depends = run(Command::new("apt-cache").args(["depends", "linux-image-amd64"]))?;
    let package = depends
        .lines()
        .find_map(|line| line.trim().strip_prefix("Depends: linux-image-"))
        .map(|rest| format!("linux-image-{rest}"))
        .ok_or_else(|| RigError::Unsuited("apt knows no package linux-image-amd64".to_owned()))?;
    let _ = std::fs::remove_dir_all(folder);
    std::fs::create_dir_all(folder).map_err(io(folder.display().to_string()))?;
    let mut command = Command::new("apt-get");
    command
        .args(["--quiet", "download", &package])
        .current_dir(folder);
    run(&mut command).map(drop)
}

/// Cargo's target folder: where this test program lies, less `PROFILE/deps/NAME`.
fn target_folder() -> Result<PathBuf, RigError> {
    let program = std::env::current_exe().map_err(io("the path of this program"))?;
    let target = program.ancestors().nth(3).map(Path::to_path_buf);
    target.ok_or_else(|| RigError::Unsuited("this program lies in no target folder".to_owned()))
}

/// `depmod` is out of the way of ordinary users on Debian.
fn system_path(mut command: Command) -> Command {
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{path}:/usr/sbin:/sbin"));
    command
}

/// Runs a program to its end and answers with what it printed.
pub(crate) fn run(command: &mut Command) -> Result<String, RigError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(std::process::Stdio::null())
        .output()
        .map_err(io(format!("cannot start `{program}`")))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(said);
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    Err(RigError::Program {
        program,
        output: format!("{said}{errors}"),
    })
}
