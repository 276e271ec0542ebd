export default { output: "export", generateBuildId: () => "Small0Build0Of0A0Site" };
