rulebook-contents = 条款
rulebook-rule = 执行它的规则
rulebook-share = 共 { $count } 条有效条款。左侧为由软件执行的比例，其余条文只能由人来遵守。
