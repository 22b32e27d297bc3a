// Invented notes to try the page with.

export const EXAMPLES = [
  {
    id: "example-ct",
    name: { en: "Chest CT", zh: "胸部CT" },
    text: "胸部CT示右肺上叶腺癌，伴双下肢水肿。\n双肺散在小结节，未见胸腔积液，纵隔淋巴结无肿大。\n印象：右肺上叶占位，考虑恶性，建议行支气管镜检查。",
  },
  {
    id: "example-admission",
    name: { en: "Admission note", zh: "入院记录" },
    text:
      "主诉：反复咳嗽、咳痰3个月，加重伴发热2天。\n现病史：患者3个月前受凉后出现咳嗽，咳黄色黏痰，无咯血，无胸痛。" +
      "2天前体温升至38.6℃，自服头孢克肟0.1g，每日2次，症状无缓解。\n" +
      "既往史：2型糖尿病10年，口服二甲双胍；否认高血压、冠心病史。\n家族史：母亲患乳腺癌。\n" +
      "辅助检查：白细胞12.3×10^9/L↑，血红蛋白92g/L↓，C反应蛋白56mg/L。",
  },
  {
    id: "example-discharge",
    name: { en: "Discharge note", zh: "出院小结" },
    text:
      "患者因上腹痛伴呕吐入院，胃镜示胃窦部溃疡，幽门螺杆菌阳性。\n给予奥美拉唑、阿莫西林及克拉霉素治疗，腹痛消失。\n" +
      "出院后如出现黑便，请及时到消化内科就诊。择期复查胃镜。",
  },
];
